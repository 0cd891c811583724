"""Whose question runs next when the hub is full: each member's in turn, so that who asks much delays itself alone.

A question that finds room runs at once. Else it waits in its own member's line, and the lines are served in turn. One
member has half of the room at most: what waits for that alone holds up nobody else's line. What waits is bounded in
bytes; when it is too much, the newest question of whoever has the most waiting is given up.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.errors import Overloaded, Stopping
from gateway.links.under_way import UnderWay

MAX_RUNNING = 512
MAX_RELAYED_BYTES = 512 * 1024 * 1024  # copies and answers in memory at one time, all members together
MAX_WAITING_BYTES = 64 * 1024 * 1024
ONE_MEMBERS_SHARE = 0.5  # of the copies and answers: whoever has answers come late must not fill the hub with them
RETRY_S = 1.0  # about the time in which a running question ends


@dataclass(slots=True, eq=False)
class _Waiting:
    relayed_bytes: int
    held_bytes: int
    called: asyncio.Event = field(default_factory=asyncio.Event)
    runs: bool = False  # its turn has come; else, once called, it has been given up


@dataclass(slots=True)
class _Line:
    questions: deque[_Waiting] = field(default_factory=deque)
    held_bytes: int = 0


class Turns:
    """The questions that run, and the line of each member that waits."""

    def __init__(
        self,
        *,
        max_running: int = MAX_RUNNING,
        max_relayed_bytes: int = MAX_RELAYED_BYTES,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> None:
        self._max_running = max_running
        self._max_relayed_bytes = max_relayed_bytes
        self._max_waiting_bytes = max_waiting_bytes
        self._running = UnderWay()
        self._relayed_bytes = Counter[str]()  # of each member's questions that run
        self._lines: OrderedDict[str, _Line] = OrderedDict()  # the first is served next
        self._waiting_bytes = 0
        self._stopping = False

    @property
    def running(self) -> int:
        """Questions under way."""
        return self._running.count

    @property
    def waiting(self) -> int:
        """Questions that wait for room."""
        return sum(len(line.questions) for line in self._lines.values())

    @property
    def relayed_bytes(self) -> int:
        """Memory set aside for the questions that run."""
        return self._relayed_bytes.total()

    def check(self) -> None:
        """Raises Stopping once nothing new is taken any more."""
        if self._stopping:
            raise Stopping("the hub is stopping", retry_after_s=RETRY_S)

    @asynccontextmanager
    async def turn(self, member: str, *, relayed_bytes: int, held_bytes: int, within_s: float) -> AsyncIterator[float]:
        """Run one question of `member` once there is room for it; yields how many seconds it waited.

        `relayed_bytes`: what it will hold while it runs; `held_bytes`: what it holds while it waits. Raises Overloaded
        when there is no room `within_s` or too much waits, and Stopping.
        """
        self.check()
        if not self._lines and self._in_share(member, relayed_bytes) and self._fits(relayed_bytes):
            self._begin(member, relayed_bytes)
            waited_s = 0.0
        else:
            waited_s = await self._wait(member, _Waiting(relayed_bytes, held_bytes), within_s)
        try:
            yield waited_s
        finally:
            self._end(member, relayed_bytes)

    def stop(self) -> None:
        """Take nothing new; what waits is refused, what runs goes on."""
        self._stopping = True
        for line in self._lines.values():
            for waiting in line.questions:
                waiting.called.set()
        self._lines.clear()
        self._waiting_bytes = 0

    async def ended(self, within_s: float) -> bool:
        """Wait until nothing runs any more; False if something still does after `within_s`."""
        return await self._running.ended(within_s)

    async def _wait(self, member: str, question: _Waiting, within_s: float) -> float:
        """Until this question's turn; its room is taken when this returns, with how long it waited."""
        began = asyncio.get_running_loop().time()
        line = self._lines.setdefault(member, _Line())
        line.questions.append(question)
        line.held_bytes += question.held_bytes
        self._waiting_bytes += question.held_bytes
        self._call()  # those before it may wait for their own members' share
        while self._waiting_bytes > self._max_waiting_bytes:
            self._give_one_up()
        try:
            async with asyncio.timeout(within_s):
                await question.called.wait()
        except TimeoutError:
            if not question.runs:
                self._leave(member, question)
                raise Overloaded("the hub relays as much as it can hold", retry_after_s=RETRY_S) from None
        except BaseException:  # the asker went away
            if question.runs:
                self._end(member, question.relayed_bytes)
            else:
                self._leave(member, question)
            raise
        if not question.runs:
            self.check()
            raise Overloaded("the hub relays as much as it can hold", retry_after_s=RETRY_S)
        return asyncio.get_running_loop().time() - began

    def _give_one_up(self) -> None:
        member, line = max(self._lines.items(), key=lambda item: item[1].held_bytes)
        newest = line.questions[-1]
        self._take_out(member, line, newest)
        newest.called.set()

    def _leave(self, member: str, question: _Waiting) -> None:
        line = self._lines.get(member)
        if line is not None and question in line.questions:
            self._take_out(member, line, question)
            self._call()  # a large one may have stood before others that fit

    def _take_out(self, member: str, line: _Line, question: _Waiting) -> None:
        line.questions.remove(question)
        line.held_bytes -= question.held_bytes
        self._waiting_bytes -= question.held_bytes
        if not line.questions:
            del self._lines[member]

    def _call(self) -> None:
        """Let questions begin while there is room, one of each member in turn."""
        while (member := self._next()) is not None:
            line = self._lines[member]
            first = line.questions[0]
            self._lines.move_to_end(member)
            self._take_out(member, line, first)
            self._begin(member, first.relayed_bytes)
            first.runs = True
            first.called.set()

    def _next(self) -> str | None:
        """The first member whose turn it can be; None while there is no room for its question."""
        for member, line in self._lines.items():
            relayed_bytes = line.questions[0].relayed_bytes
            if self._in_share(member, relayed_bytes):
                # What does not fit keeps its turn: small ones that overtake would let a large one starve.
                return member if self._fits(relayed_bytes) else None
        return None

    def _in_share(self, member: str, relayed_bytes: int) -> bool:
        """A member's only question always is, so a small share never refuses one for its size."""
        held = self._relayed_bytes[member]
        return not held or held + relayed_bytes <= self._max_relayed_bytes * ONE_MEMBERS_SHARE

    def _fits(self, relayed_bytes: int) -> bool:
        """A single question always fits (MAX_ENVELOPE_BYTES), so an idle hub never refuses one for its size."""
        if not self._running.count:
            return True
        return self._running.count < self._max_running and self.relayed_bytes + relayed_bytes <= self._max_relayed_bytes

    def _begin(self, member: str, relayed_bytes: int) -> None:
        self._running.begin()
        self._relayed_bytes[member] += relayed_bytes

    def _end(self, member: str, relayed_bytes: int) -> None:
        self._running.end()
        self._relayed_bytes[member] -= relayed_bytes
        if not self._relayed_bytes[member]:
            del self._relayed_bytes[member]
        self._call()
