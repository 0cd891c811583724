"""What one process of a hub does for the others: it says which links it holds, and sends their questions over them.

A question that comes here has been signed by the process that relays it, and is counted there; here it takes a place on
a link, as any other. If the connection to that process ends, nobody waits for what it asked, and nothing is sent again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from uuid import uuid4

from gateway.errors import WireError
from gateway.links.sibling_frames import Alive, Ask, Cancel, Frame, Hello, Known, NotSent, Said, read_frame
from gateway.links.sibling_sockets import SocketFolder, Wire, is_ours
from gateway.links.websocket import WebSocketLink
from gateway.wire.link_frames import QuestionFrame

ALIVE_S = 2.0  # something is said at least so often
# Of questions of one other process: all that it may relay. Of two each has half of the 512 MiB of all, of more less.
MAX_ASKED_BYTES = 256 * 1024 * 1024
MAX_WIRES = 128  # twice as many as processes there may be


class SiblingDoor:
    """One per process. `known`: all that one that has just dialled must hear. `heard_of`: is told who dials."""

    def __init__(
        self, *, links: WebSocketLink, known: Callable[[], Iterable[Frame]], heard_of: Callable[[int], None]
    ) -> None:
        self._links = links
        self._known = known
        self._heard_of = heard_of
        self._wires: set[Wire] = set()
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self, folder: SocketFolder, number: int) -> None:
        """Begin; raises ConfigurationError."""
        self._server = await folder.listen(number, self._take_in)

    def tell(self, frame: Frame) -> None:
        """Say something to all."""
        for wire in self._wires:
            wire.send(frame)

    async def close(self) -> None:
        """End every connection, and all that was asked over them."""
        if self._server is not None:
            self._server.close()
        for task in self._talks:
            task.cancel()
        if self._talks:
            await asyncio.wait(self._talks)

    async def keep_saying(self) -> None:
        """Say now and then that this process is alive, until cancelled."""
        while True:
            await asyncio.sleep(ALIVE_S)
            self.tell(Alive())

    async def _take_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        task = asyncio.current_task()
        if not is_ours(writer) or len(self._wires) >= MAX_WIRES or task is None:
            wire.abort()
            return
        self._talks.add(task)
        self._wires.add(wire)
        try:
            for frame in self._known():
                wire.send(frame)
            wire.send(Known())
            with contextlib.suppress(WireError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                async with _Asked(wire, self._links) as asked:
                    await self._listen(wire, asked)
        finally:
            self._wires.discard(wire)
            self._talks.discard(task)
            wire.abort()

    async def _listen(self, wire: Wire, asked: "_Asked") -> None:
        while True:
            frame = await read_frame(wire.reader)
            match frame:
                case Ask():
                    asked.begin(frame)
                case Cancel():
                    asked.cancel(frame.id)
                case Hello():
                    self._heard_of(frame.number)
                case _:
                    return  # nothing that belongs here


class _Asked:
    """What one other process has asked and not been told yet."""

    def __init__(self, wire: Wire, links: WebSocketLink) -> None:
        self._wire = wire
        self._links = links
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._bytes = 0

    async def __aenter__(self) -> "_Asked":
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def begin(self, ask: Ask) -> None:
        """Send it on, in a task of its own."""
        if self._bytes + len(ask.envelope) > MAX_ASKED_BYTES or ask.id in self._tasks:
            self._wire.send(NotSent(ask.id, full=True))
            return
        self._bytes += len(ask.envelope)
        task = asyncio.create_task(self._answer(ask))
        self._tasks[ask.id] = task
        task.add_done_callback(lambda _: self._end(ask))

    def cancel(self, id_: int) -> None:
        """Nobody waits: it is not sent, if it has not been, and keeps its place on the link if it has."""
        if (task := self._tasks.get(id_)) is not None:
            task.cancel()

    def _end(self, ask: Ask) -> None:
        self._bytes -= len(ask.envelope)
        del self._tasks[ask.id]

    async def _answer(self, ask: Ask) -> None:
        question = QuestionFrame(
            id=str(uuid4()), authorisation=ask.authorisation, envelope=ask.envelope, traceparent=ask.traceparent
        )
        link = self._links.with_room(ask.member)
        if link is None:
            self._wire.send(NotSent(ask.id, full=self._links.holds(ask.member)))
            return
        delivery = await link.deliver(question)
        self._wire.send(Said(ask.id, delivery.outcome.value, delivery.fault, delivery.answer or b""))
