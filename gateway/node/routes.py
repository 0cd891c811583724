"""A node's HTTP door for the hub (docs/wire.md, "HTTP of a node").

    POST /v1/answers   MemberEnvelope (JSON) in, sealed answer (application/octet-stream, one size) out
    POST /v1/checkpoints, GET /v1/checkpoints/M   as a witness of other members' ledgers, see witness_door.py
    GET  /v1/health    {"status": "ok"}: alive
    GET  /v1/ready     {"status": "ready", ...}, or 503 with the reason's code
    POST /v1/counts    for other members: counts_door.py

An answer leaves at arrival + D whatever it says; one that is late leaves at the next multiple of D. Whoever is too
busy says so before anything is opened, so that neither depends on a person (docs/wire.md, "Answer").
"""

import asyncio
import math
from collections.abc import AsyncIterator

import orjson
from aiohttp import web

from gateway.database.writable import Writable
from gateway.errors import Overloaded
from gateway.events import emit
from gateway.links.alive import alive
from gateway.links.body import BodyReader
from gateway.node.admission import Admission
from gateway.node.answer import answer
from gateway.node.counts_door import CountsDoor
from gateway.node.once import OnlyOnce
from gateway.node.parts import NodeParts
from gateway.node.witness_door import WitnessDoor
from gateway.telemetry.trace_context import HEADER
from gateway.wire.envelope import MemberEnvelope
from gateway.wire.federation import HUB
from gateway.wire.limits import MAX_MEMBER_ENVELOPE_BYTES
from gateway.wire.paths import ANSWERS_PATH, COUNTS_PATH, HEALTH_PATH, READY_PATH
from gateway.wire.request import VerifiedHeader, verify_header

# What leaves so soon is in time whatever the deadline: that is the hub's word, and a short one would excuse the hub for
# dropping it. What leaves later must be so long before the deadline, or an honest hub may miss it.
IN_TIME_S = 1.0
MARGIN_S = 0.5


def node_application(
    node: NodeParts, witness: WitnessDoor, *, answer_delay_ms: int, admission: Admission
) -> web.Application:
    """The node's routes for the hub, and as a witness."""
    door = _Door(node, delay_s=answer_delay_ms / 1000, admission=admission)
    application = web.Application()
    application.cleanup_ctx.append(lambda _: _measuring(admission))
    application.router.add_post(ANSWERS_PATH, door.post_answer)
    application.router.add_get(HEALTH_PATH, alive)
    application.router.add_get(READY_PATH, door.get_ready)
    application.router.add_post(COUNTS_PATH, CountsDoor(node).post)
    witness.add_routes(application.router)
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
        self._seen = OnlyOnce(node.clock)
        self._writable = Writable(node.database)

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
        self._seen.check(header.with_body(body))
        envelope = MemberEnvelope.from_json(body)
        if self._admission.full:
            raise Overloaded("more questions are under way than this node answers at once")
        self._admission.take()
        try:
            try:
                sealed = await answer(envelope, node=self._node)
            finally:
                periods = await self._release_time(arrived)
        finally:
            self._admission.free()
        passed = asyncio.get_running_loop().time() - arrived
        if passed > max(IN_TIME_S, envelope.deadline_ms / 1000 - MARGIN_S) or request.transport is None:
            # No hub is to blame if the asker does not have it.
            self._node.ledger.note_late(envelope.sender, envelope.id)
        emit("answer.released", jti=envelope.id, member=envelope.sender)
        self._node.watch.released(
            asker=envelope.sender,
            question=envelope.id,
            traceparent=request.headers.get(HEADER, ""),
            seconds=passed,
            periods=periods,
        )
        return web.Response(body=sealed, content_type="application/octet-stream")

    async def get_ready(self, _: web.Request) -> web.Response:
        """Whether this node would answer now; raises what keeps it: it stops, its ledger, the federation, its disk."""
        self._admission.check()
        self._node.standing.check()
        view = self._node.membership.current()
        await self._writable.check()
        body = {"status": "ready", "member": self._node.me.member, "seq": view.federation.seq}
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

    async def _release_time(self, arrived: float) -> int:
        """Sleep until the next multiple of D after arrival; returns which one."""
        passed = asyncio.get_running_loop().time() - arrived
        periods = max(1, math.ceil(passed / self._delay_s))
        await asyncio.sleep(periods * self._delay_s - passed)
        return periods
