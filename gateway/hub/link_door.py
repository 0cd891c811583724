"""Where members' nodes dial in (docs/wire.md, "Links").

    GET /v1/link?process=UUID&hub=KID   upgrade to WebSocket; request token of an active member for exactly this; 101

(1) authenticate the member, within its rate; a token opens one link, and that at the hub that it names
(2) upgrade: from here on frames, no HTTP, and no limit of time
(3) the link takes questions until it ends, as it does at the latest when the key ends that signed the token
"""

import re

from aiohttp import web

from gateway.errors import MalformedMessage, NotForUs
from gateway.hub.fanout import Hub, PostedRequest, accept, authenticate, request_id
from gateway.links.body import no_body
from gateway.links.time_limit import lift_time_limit
from gateway.links.websocket import OpenLink, WebSocketLink, counts_until, link_socket
from gateway.wire.federation import Federation
from gateway.wire.request import signed_with

_PROCESS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class LinkDoor:
    """One per hub process."""

    def __init__(self, *, hub: Hub, links: WebSocketLink) -> None:
        self._hub = hub
        self._links = links
        hub.directory.when_newer(self._tell)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Keep one link until it ends; raises WireError, FederationStale, Overloaded, StorageError before it begins."""
        hub, now = self._hub, self._hub.clock.now()
        process = request.query.get("process", "")
        if not _PROCESS.fullmatch(process):
            raise MalformedMessage("link: process is not a UUID in lower case")
        # (1)
        posted = PostedRequest(
            method=request.method,
            path=request.raw_path,
            authorisation=request.headers.get("Authorization", ""),
            read_body=no_body,
        )
        federation = hub.directory.federation()
        member, claims, _ = await authenticate(posted, federation, now=now, limits=hub.limits, clocks=hub.clocks)
        if not hub.directory.has_key(request.query.get("hub", "")):
            raise NotForUs("the link was to be with another hub")
        hub.limits.take(member.id)
        socket = link_socket()
        if not socket.can_prepare(request):
            raise web.HTTPUpgradeRequired
        await accept(member, [request_id(claims)], hub=hub)
        # (2)
        await socket.prepare(request)
        lift_time_limit(request)
        # (3)
        federation = hub.directory.federation()
        kid, listed = signed_with(posted.authorisation), federation.members.get(member.id)
        if request.transport is not None and listed is not None and counts_until(kid, listed, hub.clock.now()):
            link = OpenLink(
                listed,
                process,
                socket,
                kid=kid,
                clock=hub.clock,
                abort=request.transport.abort,
            )
            hub.circuits.try_again(member.id)
            await self._links.hold(link, seq=federation.seq)
        return socket

    async def stop(self, _: web.Application) -> None:
        """Say farewell; nothing more is read of a connection by now, so who wants answers to arrive waits before."""
        await self._links.close()

    def _tell(self, federation: Federation) -> None:
        self._links.tell(federation.seq, federation.members)
