"""The hub's HTTP door (docs/wire.md, "HTTP of a hub").

    POST /v1/queries        Envelope in; application/x-ndjson out: lines {"member", "outcome", "answer"?} (answer in
                            base64url), then {"coverage": JWS}. Request token of an active member; 429 with Retry-After.
    GET  /v1/federation     {"document": JWS, "freshness": JWS}
    GET  /v1/sealing-keys   {"sealing_keys": {member id: JWS}}
    PUT  /v1/sealing-keys   a `patchwork-sealing-key+jwt` as it is (application/jose); request token of that member; 204
    POST /v1/checkpoints    a member's new ledger head and proof in; {"cosignature"} or {"refused"} out; request token
    GET  /v1/checkpoints/M  {"note"?, "witness_key"}: the last head seen of member M's ledger; M's request token
    POST /v1/joins, GET /v1/joins   who was invited asks to join, and the operator sees who has: join_door.py
    GET  /v1/link           a member's node dials in: link_door.py
    GET  /v1/health         {"status": "ok"}: alive
    GET  /v1/ready          {"status": "ready", "federation", "seq"}, or 503: takes questions

What else is fetched is signed by others and holds nothing about people, so it needs no request token. A checkpoint's is
taken once as any, so that it spends its member's rate once; after a restore nobody waits for it, for the same head
submitted twice changes nothing.
"""

import orjson
from aiohttp import web

from gateway.database.writable import Writable
from gateway.errors import NotForUs
from gateway.hub.fanout import Hub, PostedRequest, accept, authenticate, check_restored, fan_out, request_id
from gateway.hub.join_door import JoinDoor
from gateway.hub.link_door import LinkDoor
from gateway.hub.sealing_keys import SealingKeys
from gateway.hub.witness import HubWitness
from gateway.links.alive import alive
from gateway.links.body import BodyReader, no_body
from gateway.links.websocket import WebSocketLink
from gateway.telemetry.trace_context import HEADER
from gateway.wire.checkpoints import Submission
from gateway.wire.federation import Member
from gateway.wire.limits import MAX_CHECKPOINT_BYTES, MAX_ENVELOPE_BYTES, MAX_STATEMENT_BYTES
from gateway.wire.paths import (
    CHECKPOINTS_PATH,
    FEDERATION_PATH,
    HEALTH_PATH,
    JOINS_PATH,
    LINK_PATH,
    QUERIES_PATH,
    READY_PATH,
    SEALING_KEYS_PATH,
)

_NDJSON = "application/x-ndjson"


def hub_application(
    *,
    hub: Hub,
    sealing_keys: SealingKeys,
    witness: HubWitness,
    links: WebSocketLink,
    behind_proxy: bool = False,
) -> web.Application:
    """The hub's routes. Who made the parts keeps them current, and closes them.

    `behind_proxy`: our own proxy says which address asks.
    """
    routes = _Routes(hub=hub, sealing_keys=sealing_keys, witness=witness)
    application = web.Application()
    application.router.add_post(QUERIES_PATH, routes.post_query)
    application.router.add_get(FEDERATION_PATH, routes.get_federation)
    application.router.add_get(SEALING_KEYS_PATH, routes.get_sealing_keys)
    application.router.add_put(SEALING_KEYS_PATH, routes.put_sealing_key)
    application.router.add_post(CHECKPOINTS_PATH, routes.post_checkpoint)
    application.router.add_get(CHECKPOINTS_PATH + "/{member}", routes.get_checkpoint)
    join_door = JoinDoor(hub=hub, behind_proxy=behind_proxy)
    application.router.add_post(JOINS_PATH, join_door.post)
    application.router.add_get(JOINS_PATH, join_door.get, allow_head=False)
    application.router.add_get(HEALTH_PATH, alive)
    application.router.add_get(READY_PATH, routes.get_ready)
    link_door = LinkDoor(hub=hub, links=links)
    application.router.add_get(LINK_PATH, link_door.get, allow_head=False)
    application.on_shutdown.append(link_door.stop)
    return application


class _Routes:
    """One short handler per interaction."""

    def __init__(self, *, hub: Hub, sealing_keys: SealingKeys, witness: HubWitness) -> None:
        self._hub = hub
        self._sealing_keys = sealing_keys
        self._witness = witness
        self._bodies = BodyReader()
        self._writable = Writable(hub.database)

    async def post_query(self, request: web.Request) -> web.StreamResponse:
        """Relay one question; the answers stream back as they arrive."""
        posted = self._posted(request, max_bytes=MAX_ENVELOPE_BYTES)
        stream = _NdjsonStream(request)
        try:
            await fan_out(posted, stream, hub=self._hub)
        except TimeoutError:
            # Who does not read its answers is not waited for: closing in order would keep what is unsent for ever.
            if stream.response.prepared and request.transport is not None:
                request.transport.abort()
            raise
        return stream.response

    async def get_federation(self, _: web.Request) -> web.Response:
        """The operator's document and the hub's freshness statement."""
        return _json(self._hub.directory.served())

    async def get_sealing_keys(self, _: web.Request) -> web.Response:
        """Each active member's newest sealing key."""
        return _json(self._sealing_keys.served())

    async def put_sealing_key(self, request: web.Request) -> web.Response:
        """Take over the asking member's new sealing key."""
        hub = self._hub
        posted = self._posted(request, max_bytes=MAX_STATEMENT_BYTES)
        now = hub.clock.now()
        member, claims, body = await authenticate(
            posted, hub.directory.federation(), now=now, limits=hub.limits, clocks=hub.clocks
        )
        hub.limits.take(member.id)
        await accept(member, [request_id(claims)], hub=hub)
        await self._sealing_keys.publish(member, body)
        return web.Response(status=204)

    async def post_checkpoint(self, request: web.Request) -> web.Response:
        """Cosign the asking member's new ledger head, or say why not."""
        member, body = await self._member_of(request, max_bytes=MAX_CHECKPOINT_BYTES)
        verdict = await self._witness.take(
            member, Submission.from_json(body), self._hub.directory.federation(), now=self._hub.clock.now()
        )
        return _json(verdict.to_json())

    async def get_checkpoint(self, request: web.Request) -> web.Response:
        """The last head seen of the asking member's own ledger. Sizes tell of activity, so no other is told."""
        member, _ = await self._member_of(request)
        if request.match_info["member"] != member.id:
            raise NotForUs("a member is told of its own ledger alone")
        held = await self._witness.held(member.id, self._hub.directory.federation(), now=self._hub.clock.now())
        return _json(held.to_json())

    async def _member_of(self, request: web.Request, *, max_bytes: int | None = None) -> tuple[Member, bytes]:
        """Who asks, within its limits, and the body; without `max_bytes` the request has none."""
        hub = self._hub
        posted = self._posted(request, max_bytes=max_bytes)
        member, claims, body = await authenticate(
            posted, hub.directory.federation(), now=hub.clock.now(), limits=hub.limits, clocks=hub.clocks
        )
        hub.limits.take(member.id)
        await accept(member, [request_id(claims)], hub=hub, harmless=True)
        return member, body

    async def get_ready(self, _: web.Request) -> web.Response:
        """Taking questions: not about to stop, a federation document in force, and a database that takes writes."""
        self._hub.turns.check()
        check_restored(self._hub)
        federation = self._hub.directory.federation()
        await self._writable.check()
        return _json(orjson.dumps({"status": "ready", "federation": federation.name, "seq": federation.seq}))

    def _posted(self, request: web.Request, *, max_bytes: int | None) -> PostedRequest:
        return PostedRequest(
            method=request.method,
            path=request.raw_path,
            authorisation=request.headers.get("Authorization", ""),
            traceparent=request.headers.get(HEADER, ""),
            read_body=no_body if max_bytes is None else self._bodies.announced(request, max_bytes=max_bytes),
            announced_bytes=request.content_length or 0,
        )


class _NdjsonStream:
    """Starts the response with its first lines, so that everything refused before is still told by a status."""

    def __init__(self, request: web.Request) -> None:
        self.response = web.StreamResponse(headers={"Content-Type": _NDJSON})
        self._request = request

    async def write(self, lines: bytes) -> None:
        """Send whole lines; raises ConnectionError when nobody reads them any more."""
        if not self.response.prepared:
            await self.response.prepare(self._request)
        await self.response.write(lines)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")
