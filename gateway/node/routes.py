"""A node's HTTP door for the hub (docs/wire.md, "HTTP of a node").

POST /v1/answers   MemberEnvelope (JSON) in, sealed answer (application/octet-stream, one size) out: door.py
POST /v1/checkpoints, GET /v1/checkpoints/M   as a witness of other members' ledgers, see witness_door.py
GET  /v1/health    {"status": "ok"}: alive
GET  /v1/ready     {"status": "ready", ...}, or 503 with the reason's code
POST /v1/counts    for other members: counts_door.py
"""

import asyncio
from collections.abc import AsyncIterator

import orjson
from aiohttp import web

from gateway.database.writable import Writable
from gateway.links.alive import alive
from gateway.links.body import BodyReader
from gateway.node.counts_door import CountsDoor
from gateway.node.door import AnswerDoor
from gateway.node.parts import NodeParts
from gateway.node.witness_door import WitnessDoor
from gateway.telemetry.trace_context import HEADER
from gateway.wire.limits import MAX_MEMBER_ENVELOPE_BYTES
from gateway.wire.paths import ANSWERS_PATH, COUNTS_PATH, HEALTH_PATH, READY_PATH


def node_application(node: NodeParts, witness: WitnessDoor, door: AnswerDoor) -> web.Application:
    """The node's routes for the hub, and as a witness."""
    routes = _Routes(node, door)
    application = web.Application()
    application.cleanup_ctx.append(lambda _: _measuring(door))
    application.router.add_post(ANSWERS_PATH, routes.post_answer)
    application.router.add_get(HEALTH_PATH, alive)
    application.router.add_get(READY_PATH, routes.get_ready)
    application.router.add_post(COUNTS_PATH, CountsDoor(node).post)
    witness.add_routes(application.router)
    return application


async def _measuring(door: AnswerDoor) -> AsyncIterator[None]:
    """While the application runs, the machine's speed is measured."""
    task = asyncio.create_task(door.keep_measuring(), name="admission")
    yield
    task.cancel()
    await asyncio.wait([task])


class _Routes:
    def __init__(self, node: NodeParts, door: AnswerDoor) -> None:
        self._node = node
        self._door = door
        self._bodies = BodyReader()
        self._writable = Writable(node.database)

    async def post_answer(self, request: web.Request) -> web.Response:
        """Answer one question of the hub's."""
        sealed = await self._door.answer_delivery(
            request.headers.get("Authorization", ""),
            self._bodies.announced(request, max_bytes=MAX_MEMBER_ENVELOPE_BYTES),
            still_there=lambda: request.transport is not None,
            traceparent=request.headers.get(HEADER, ""),
        )
        return web.Response(body=sealed, content_type="application/octet-stream")

    async def get_ready(self, _: web.Request) -> web.Response:
        """Whether this node would answer now; raises what keeps it: it stops, its ledger, the federation, its disk."""
        self._door.check()
        self._node.standing.check()
        view = self._node.membership.current()
        await self._writable.check()
        body = {"status": "ready", "member": self._node.me.member, "seq": view.federation.seq}
        return web.Response(body=orjson.dumps(body), content_type="application/json")
