"""Where an agency that was invited asks to join, and where the operator sees who has (docs/wire.md, "Joining by code").

    POST /v1/joins   an invitation and a request to join; 202 {"status": "waiting"}, the same each time for the same key
    GET  /v1/joins?hub=KID   {"joins": [...]}; request token of the operator for this hub, by one of its keys

(1) count the request, by its address: whoever posts here is a stranger
(2) read no more than two signed statements can have
(3) the invitation; of anything that is not of this federation's operator nothing is said but that
(4) the request to join
(5) keep it: one key for each invitation
"""

import orjson
from aiohttp import web

from gateway.errors import FederationStale, NotAuthentic, NotForUs, OutOfTime, WireError
from gateway.events import emit
from gateway.hub.fanout import Hub
from gateway.hub.joins import Joins
from gateway.hub.replay import SeenId, accept_once
from gateway.hub.strangers import Strangers
from gateway.links.address import caller
from gateway.links.body import BodyReader, no_body
from gateway.wire.federation import OPERATOR
from gateway.wire.invitation import verify_invitation
from gateway.wire.join_code import Joining, verify_joining
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import MAX_JOINING_BYTES, SKEW_S
from gateway.wire.request import verify_header

_WAITING = orjson.dumps({"status": "waiting"})
_ISSUER = ":operator"  # among ids of requests: no member's id has a colon


class JoinDoor:
    """One per hub process."""

    def __init__(self, *, hub: Hub, behind_proxy: bool) -> None:
        self._hub = hub
        self._behind_proxy = behind_proxy
        self._joins = Joins(hub.database)
        self._strangers = Strangers(hub.clock)
        self._bodies = BodyReader()  # of its own: what strangers send takes no room from members

    async def post(self, request: web.Request) -> web.Response:
        """Steps (1)-(5); raises WireError, FederationStale, Overloaded, StorageError."""
        hub = self._hub
        address = caller(request, behind_proxy=self._behind_proxy)
        self._strangers.take(address)  # (1)
        body = await self._bodies.announced(request, max_bytes=MAX_JOINING_BYTES)()  # (2)
        federation, now = hub.directory.federation(), hub.clock.now()
        joining = _invited(body, hub.directory.operator_key, federation.name, now)  # (3)
        self._strangers.welcome(address)
        verified = verify_joining(  # (4)
            joining,
            operator_key=hub.directory.operator_key,
            federation=federation.name,
            now=now,
            invited_now=now,
        )
        await self._joins.keep(verified, federation, now=now)  # (5)
        emit("join.received", kid=verified.key.kid, invitation=verified.invitation.id)
        return web.Response(status=202, body=_WAITING, content_type="application/json")

    async def get(self, request: web.Request) -> web.Response:
        """What waits, for the operator alone; raises WireError, FederationStale, StorageError."""
        hub, now = self._hub, self._hub.clock.now()
        document = hub.directory.newest  # one that has expired will do: the operator is who renews it
        if document is None:
            raise FederationStale("no federation document has arrived yet")
        key = hub.directory.operator_key
        header = verify_header(
            request.headers.get("Authorization", ""),
            lambda issuer: {key.kid: key} if issuer == OPERATOR else {},
            method=request.method,
            path=request.raw_path,
            aud=document.name,
            now=now,
        )
        claims = header.with_body(await no_body())
        if not hub.directory.has_key(request.query.get("hub", "")):
            raise NotForUs("the operator asks another hub")
        seen = SeenId(kind="request", issuer=_ISSUER, id=claims.jti, expires_at=claims.expires_at + SKEW_S)
        await accept_once(hub.database, [seen], now=now)
        waiting = await self._joins.waiting(document, now=now)
        return web.Response(body=waiting, content_type="application/json")


def _invited(body: bytes, operator_key: VerifyKey, federation: str, now: float) -> Joining:
    """Both parts, the first of them verified; raises OutOfTime for an invitation whose time is over, NotAuthentic."""
    try:
        joining = Joining.from_json(body)
        verify_invitation(joining.invitation, operator_key=operator_key, federation=federation, now=now)
    except OutOfTime:
        raise  # it is the operator's: its bearer may know
    except WireError:
        raise NotAuthentic("no invitation of this federation's operator") from None
    return joining
