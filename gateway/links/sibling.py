"""One other process of this hub, as siblings.py knows it: dialled again and again, asked, and listened to."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable

from gateway.errors import MalformedMessage, WireError
from gateway.links.contract import Delivery
from gateway.links.delivery import LOST
from gateway.links.sibling_frames import (
    Ask,
    Cancel,
    Done,
    Failing,
    Frame,
    Held,
    Hello,
    Known,
    NotSent,
    Said,
    read_frame,
)
from gateway.links.sibling_sockets import SocketFolder, Wire
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.request import HashedBody

SILENT_S = 10.0  # a process that says nothing for so long hangs (sibling_door.ALIVE_S)
AGAIN_S = 0.25  # until one that is not there is dialled again


class Sibling:
    """One other process, while it is there and while it is not."""

    def __init__(
        self,
        folder: SocketFolder,
        number: int,
        *,
        me: int,
        heard: Callable[[Held | Failing], None],
        moved: Callable[[], None],
    ) -> None:
        self.held: dict[str, dict[str, float]] = {}
        self.under_way: Counter[str] = Counter()
        self.tried = asyncio.Event()  # it has said what it knows, or it is not there
        self.again = asyncio.Event()
        self._folder = folder
        self._number = number
        self._me = me
        self._heard = heard
        self._moved = moved
        self._wire: Wire | None = None
        self._asked: dict[int, asyncio.Future[Delivery | NotSent]] = {}
        self._last_id = 0
        self._done = False

    @property
    def busy(self) -> bool:
        """Whether it is there, and has not said that it has ended its questions."""
        return self._wire is not None and not self._done

    async def ask(self, member_id: str, authorisation: str, envelope: HashedBody) -> Delivery | NotSent:
        """Have one question sent over a link of `member_id`, and wait for what becomes of it."""
        wire = self._wire
        if wire is None or wire.full:
            return NotSent(0, full=wire is not None)
        self._last_id += 1
        id_ = self._last_id
        answered: asyncio.Future[Delivery | NotSent] = asyncio.get_running_loop().create_future()
        self._asked[id_] = answered
        self.under_way[member_id] += 1
        wire.send(Ask(id_, member_id, authorisation, envelope.traceparent, envelope.data))
        try:
            return await answered
        except asyncio.CancelledError:
            if self._asked.get(id_) is answered:
                wire.send(Cancel(id_))
            raise
        finally:
            self._asked.pop(id_, None)
            self.under_way[member_id] -= 1
            if not self.under_way[member_id]:
                del self.under_way[member_id]

    async def keep(self) -> None:
        """Dial, and dial again, until cancelled."""
        try:
            while True:
                self.again.clear()
                with contextlib.suppress(OSError, TimeoutError, WireError, asyncio.IncompleteReadError):
                    async with asyncio.timeout(SILENT_S):
                        wire = await self._folder.dial(self._number)
                    await self._listen(wire)
                self.tried.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self.again.wait()
        finally:
            self.tried.set()

    async def _listen(self, wire: Wire) -> None:
        self._wire = wire
        try:
            wire.send(Hello(self._me))
            while True:
                async with asyncio.timeout(SILENT_S):
                    frame = await read_frame(wire.reader)
                self._take(frame)
        finally:
            self._lose(wire)

    def _take(self, frame: Frame) -> None:
        """Raises MalformedMessage."""
        match frame:
            case Said():
                self._settle(frame.id, _delivery(frame))
            case NotSent():
                self._settle(frame.id, frame)
            case Held():
                if frame.links:
                    self.held[frame.member] = frame.links
                else:
                    self.held.pop(frame.member, None)
                self._heard(frame)
            case Failing():
                self._heard(frame)
            case Known():
                self.tried.set()
            case Done():
                self._done = True
                self._moved()
            case Ask() | Cancel() | Hello():
                raise MalformedMessage("sibling: not for who dialled")

    def _settle(self, id_: int, said: Delivery | NotSent) -> None:
        """Whoever asked may have gone meanwhile."""
        answered = self._asked.get(id_)
        if answered is not None and not answered.done():
            answered.set_result(said)

    def _lose(self, wire: Wire) -> None:
        """It is gone: its links with it, and what it was asked is lost."""
        wire.abort()
        self._wire = None
        self._done = False
        self.held = {}
        for answered in self._asked.values():
            if not answered.done():
                answered.set_result(LOST)
        self._moved()


def _delivery(said: Said) -> Delivery:
    """Raises MalformedMessage for what no process of this hub says."""
    try:
        outcome = DeliveryOutcome(said.outcome)
    except ValueError as error:
        raise MalformedMessage("sibling: an outcome that does not exist") from error
    answered = outcome is DeliveryOutcome.ANSWERED
    if len(said.answer) != (SEALED_ANSWER_BYTES if answered else 0):
        raise MalformedMessage("sibling: an answer of another size")
    return Delivery(outcome=outcome, answer=said.answer if answered else None, fault=said.fault)
