"""A node's HTTP door for the hub (docs/wire.md, "HTTP of a node").

POST /v1/answers   MemberEnvelope (JSON) in, sealed answer (application/octet-stream, one size) out: door.py
POST /v1/checkpoints, GET /v1/checkpoints/M   as a witness of other members' ledgers, see witness_door.py
GET  /v1/health    {"status": "ok"}: alive
GET  /v1/ready     {"status": "ready", ...}, or 503 with the reason's code
POST /v1/counts    for other members: counts_door.py

A node in several federations has one such door. Which of them a request is for says the key that its token names
(apart.py); whether it may come in, that federation's own desk says, as it would if it were the only one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.database.writable import Writable
from gateway.errors import NotAuthentic, PatchworkError
from gateway.links.alive import alive
from gateway.links.body import BodyReader
from gateway.node.apart import which
from gateway.node.counts_door import CountsDoor
from gateway.node.door import AnswerDoor
from gateway.node.parts import NodeParts
from gateway.node.witness_door import WitnessDoor
from gateway.telemetry.trace_context import HEADER
from gateway.wire.limits import MAX_MEMBER_ENVELOPE_BYTES
from gateway.wire.paths import ANSWERS_PATH, CHECKPOINTS_PATH, COUNTS_PATH, HEALTH_PATH, READY_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What takes requests in one federation."""

    node: NodeParts
    door: AnswerDoor
    witness: WitnessDoor


# Of a node in several federations: at which desk a request is taken; None: at none.
DESK: web.RequestKey[int | None] = web.RequestKey("desk", int)


def node_application(desks: Sequence[Desk]) -> web.Application:
    """The node's routes for hubs and members; each request goes to one desk, and to no other."""
    application = web.Application()
    application.cleanup_ctx.append(lambda _: _measuring(desks))
    takers = [_Taker(desk) for desk in desks]
    if len(desks) > 1:
        application.middlewares.append(_choosing([desk.node for desk in desks]))
    router = application.router
    router.add_post(ANSWERS_PATH, _for_one(takers, lambda taker: taker.post_answer))
    router.add_get(HEALTH_PATH, alive)
    router.add_get(READY_PATH, takers[0].get_ready if len(takers) == 1 else _Ready(takers).get)
    router.add_post(COUNTS_PATH, _for_one(takers, lambda taker: taker.counts.post))
    router.add_post(CHECKPOINTS_PATH, _for_one(takers, lambda taker: taker.desk.witness.post_checkpoint))
    router.add_get(CHECKPOINTS_PATH + "/{member}", _for_one(takers, lambda taker: taker.desk.witness.get_checkpoint))
    return application


async def _measuring(desks: Sequence[Desk]) -> AsyncIterator[None]:
    """While the application runs, the machine's speed is measured."""
    tasks = [asyncio.create_task(desk.door.keep_measuring(), name="admission") for desk in desks]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


class _Taker:
    """The routes of one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.counts = CountsDoor(desk.node)
        self._bodies = BodyReader()
        self._writable = Writable(desk.node.database)

    async def post_answer(self, request: web.Request) -> web.Response:
        """Answer one question of the hub's."""
        sealed = await self.desk.door.answer_delivery(
            request.headers.get("Authorization", ""),
            self._bodies.announced(request, max_bytes=MAX_MEMBER_ENVELOPE_BYTES),
            still_there=lambda: request.transport is not None,
            traceparent=request.headers.get(HEADER, ""),
        )
        return web.Response(body=sealed, content_type="application/octet-stream")

    async def check(self) -> int:
        """The number of the document under which it would answer now; raises what keeps it from that."""
        self.desk.door.check()
        self.desk.node.standing.check()
        view = self.desk.node.membership.current()
        await self._writable.check()
        return view.federation.seq

    async def get_ready(self, _: web.Request) -> web.Response:
        """Whether this node would answer now; raises what keeps it: it stops, its ledger, the federation, its disk."""
        body = {"status": "ready", "member": self.desk.node.me.member, "seq": await self.check()}
        return web.Response(body=orjson.dumps(body), content_type="application/json")


class _Ready:
    """Of several federations whoever asks learns no more than that this node would answer in one of them."""

    def __init__(self, takers: Sequence[_Taker]) -> None:
        self._takers = takers

    async def get(self, _: web.Request) -> web.Response:
        """Ready; or raises what keeps the first federation from answering, if there is none that would."""
        kept: list[PatchworkError] = []
        for taker in self._takers:
            try:
                await taker.check()
            except PatchworkError as error:
                kept.append(error)
        if len(kept) == len(self._takers):
            raise kept[0]
        return web.Response(body=orjson.dumps({"status": "ready"}), content_type="application/json")


def _choosing(nodes: Sequence[NodeParts]) -> Middleware:
    @web.middleware
    async def choose(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Outermost, so that a request is counted in the federation that it is for."""
        request[DESK] = which(request.headers.get("Authorization", ""), nodes)
        response: web.StreamResponse = await handler(request)
        return response

    return choose


def _for_one(takers: Sequence[_Taker], handler: Callable[[_Taker], Handler]) -> Handler:
    """The route of whichever desk a request is for."""
    handlers = [handler(taker) for taker in takers]

    async def take(request: web.Request) -> web.StreamResponse:
        at = request.get(DESK, 0)
        if at is None:
            raise NotAuthentic("signed with a key of nobody's, or of somebody's in two federations")
        response: web.StreamResponse = await handlers[at](request)
        return response

    return take if len(takers) > 1 else handlers[0]
