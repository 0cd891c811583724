"""A node's HTTP door for the hub (docs/wire.md, "HTTP of a node").

    POST /v1/answers   MemberEnvelope (JSON) in, sealed answer (application/octet-stream, one size) out
    GET  /v1/health    {"status": "ok", ...}, or 503 with the reason's code

An answer leaves at arrival + D whatever it says; one that is late leaves at the next multiple of D. Whoever is too
busy says so before anything is opened, so that neither depends on a person (docs/wire.md, "Answer").
"""

import asyncio
import math
from collections.abc import AsyncIterator

import orjson
from aiohttp import web

from gateway.errors import Overloaded, Replayed
from gateway.events import emit
from gateway.links.body import BodyReader
from gateway.node.admission import Admission
from gateway.node.answer import answer
from gateway.node.parts import NodeParts
from gateway.wire.envelope import MemberEnvelope
from gateway.wire.federation import HUB
from gateway.wire.limits import MAX_MEMBER_ENVELOPE_BYTES, SKEW_S
from gateway.wire.paths import ANSWERS_PATH, HEALTH_PATH
from gateway.wire.request import RequestClaims, VerifiedHeader, verify_header


def node_application(node: NodeParts, *, answer_delay_ms: int, admission: Admission) -> web.Application:
    """The node's routes for the hub."""
    door = _Door(node, delay_s=answer_delay_ms / 1000, admission=admission)
    application = web.Application()
    application.cleanup_ctx.append(lambda _: _measuring(admission))
    application.router.add_post(ANSWERS_PATH, door.post_answer)
    application.router.add_get(HEALTH_PATH, door.get_health)
    return application


async def _measuring(admission: Admission) -> AsyncIterator[None]:
    """While the application runs, the machine's speed is measured."""
    task = asyncio.create_task(admission.keep_measuring(), name="admission")
    yield
    task.cancel()
    await asyncio.wait([task])


class _Door:
    def __init__(self, node: NodeParts, *, delay_s: float, admission: Admission) -> None:
        self._node = node
        self._delay_s = delay_s
        self._admission = admission
        self._bodies = BodyReader()
        self._requests: dict[str, float] = {}  # the hub's requests by id, oldest first, until they expire

    async def post_answer(self, request: web.Request) -> web.Response:
        """Answer one question of the hub's.

        A place is taken only once the hub is proven: nobody else can make this node look busy. The time runs from the
        last byte of the question: who could begin it early and end it late would choose how near to the release the
        work is done, and learn from a missed one how long it took.
        """
        if self._admission.full:
            raise Overloaded("more questions are under way than this node answers at once")
        read_body = self._bodies.announced(request, max_bytes=MAX_MEMBER_ENVELOPE_BYTES)
        header = self._authorise(request)
        body = await read_body()
        arrived = asyncio.get_running_loop().time()
        self._only_once(header.with_body(body))
        envelope = MemberEnvelope.from_json(body)
        if self._admission.full:
            raise Overloaded("more questions are under way than this node answers at once")
        self._admission.take()
        try:
            try:
                sealed = await answer(envelope, node=self._node)
            finally:
                await self._release_time(arrived)
        finally:
            self._admission.free()
        emit("answer.released", jti=envelope.id, member=envelope.sender)
        return web.Response(body=sealed, content_type="application/octet-stream")

    async def get_health(self, _: web.Request) -> web.Response:
        """Whether this node would answer now; raises FederationError when it would not."""
        view = self._node.membership.current()
        body = {"status": "ok", "member": self._node.me.member, "seq": view.federation.seq}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    def _authorise(self, request: web.Request) -> VerifiedHeader:
        """Only the federation's hub may deliver, and only its body is read; raises WireError or FederationError."""
        federation = self._node.membership.current().federation
        now = self._node.clock.now()
        return verify_header(
            request.headers.get("Authorization", ""),
            lambda issuer: federation.keys_of(issuer, now) if issuer == HUB else {},
            method="POST",
            path=ANSWERS_PATH,
            aud=self._node.me.member,
            now=now,
        )

    def _only_once(self, request: RequestClaims) -> None:
        """Raises Replayed for a request seen before, so that a captured one cannot take places again and again.

        In memory only: after a restart the ledger still refuses the question itself (node/answer.py, step 3).
        """
        now = self._node.clock.now()
        while self._requests and next(iter(self._requests.values())) < now:
            del self._requests[next(iter(self._requests))]
        if request.jti in self._requests:
            raise Replayed("this request has been seen before")
        self._requests[request.jti] = request.expires_at + SKEW_S

    async def _release_time(self, arrived: float) -> None:
        """Sleep until the next multiple of D after arrival."""
        passed = asyncio.get_running_loop().time() - arrived
        periods = max(1, math.ceil(passed / self._delay_s))
        await asyncio.sleep(periods * self._delay_s - passed)
