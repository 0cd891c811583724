"""A node's HTTP door for other members (docs/wire.md, "Counts").

    POST /v1/counts   {"v", "since", "until"} in, a `patchwork-counts+jwt` (application/jose) out; request token of an
                      active member, which learns of its own traffic alone

Not through the hub: it is the hub that the counts may speak against. One at a time, so that answers hardly wait.
"""

import asyncio

from aiohttp import web

from gateway.errors import Overloaded
from gateway.links.body import BodyReader
from gateway.node.callers import from_member, known_caller
from gateway.node.counts import statement_for
from gateway.node.once import OnlyOnce
from gateway.node.parts import NodeParts
from gateway.wire.counts import MAX_REQUEST_BYTES, read_counts_request
from gateway.wire.paths import COUNTS_PATH


class CountsDoor:
    """One per node."""

    def __init__(self, node: NodeParts) -> None:
        self._node = node
        self._one_at_a_time = asyncio.Lock()
        self._waiting: set[str] = set()
        self._bodies = BodyReader()
        self._seen = OnlyOnce(node.clock)

    async def post(self, request: web.Request) -> web.Response:
        """Say to a member what there was between it and us.

        Raises WireError, FederationError, LedgerDoubtful, Overloaded.
        """
        read_body = self._bodies.announced(request, max_bytes=MAX_REQUEST_BYTES)
        node = self._node
        header = known_caller(
            request.headers.get("Authorization", ""),
            from_member,
            membership=node.membership,
            method="POST",
            path=COUNTS_PATH,
            aud=node.me.member,
            now=node.clock.now(),
        )
        node.standing.check()
        body = await read_body()
        claims = header.with_body(body)
        self._seen.check(claims)
        since, until = read_counts_request(body)
        if claims.issuer in self._waiting:
            raise Overloaded("counts are being made for this member")
        self._waiting.add(claims.issuer)
        try:
            async with self._one_at_a_time:  # each member has one place, so that none keeps others out
                statement = await statement_for(claims.issuer, since, until, node=node)
        finally:
            self._waiting.remove(claims.issuer)
        return web.Response(body=statement.encode("ascii"), content_type="application/jose")
