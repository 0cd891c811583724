"""Link (c): a question whose member's link another process of this hub holds is sent over that one.

The processes of a hub know of each other which members' links they hold. Each has dialled each: over a connection who
dialled asks, and who was dialled answers and says what changes (sibling_door.py, sibling_frames.py).

A question goes to one process, and to the next only if the first has said that it gave it to no link. Whatever becomes
of a connection, nothing is sent again: what was asked over it ends as unreachable, which is no fault of the member.

Over all processes together a member has no more links than over one, and a node's process one: who hears of newer links
elsewhere closes its own older ones. Until it has heard, for a moment, there may be more.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable

from gateway.clock import Clock
from gateway.links.contract import Delivery
from gateway.links.delivery import NOT_LINKED, OVERLOADED, question_token
from gateway.links.sibling import Sibling
from gateway.links.sibling_door import SiblingDoor
from gateway.links.sibling_frames import Done, Failing, Frame, Held
from gateway.links.sibling_sockets import SocketFolder
from gateway.links.websocket import WebSocketLink
from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.request import HashedBody

FIRST_S = 2.0  # for the others to say what they know, before this process takes questions


class Siblings:
    """The other processes of this hub, as one of them sees them. Fulfils Link; made by `open_siblings`.

    `heard`: is told what the others say of members that fail. `failing`: what they are told of them at first.
    """

    def __init__(
        self,
        *,
        links: WebSocketLink,
        key: Callable[[], SigningKey],
        clock: Clock,
        heard: Callable[[Failing], None] = lambda _: None,
        failing: Callable[[], Iterable[Failing]] = tuple,
    ) -> None:
        self._links = links
        self._key = key
        self._clock = clock
        self._heard = heard
        self._failing = failing
        self._others: dict[int, Sibling] = {}
        self._keeping: list[asyncio.Task[None]] = []
        self._done = False
        self._moved = asyncio.Event()
        self._door = SiblingDoor(links=links, known=self._known, heard_of=self._wake)
        links.when_changed(self._announce)

    async def open(self, folder: SocketFolder, *, number: int, processes: int) -> None:
        """Take the others in, dial them, and wait until those that are there have said what they hold."""
        await self._door.open(folder, number)
        self._others = {
            other: Sibling(folder, other, me=number, heard=self._hear, moved=self._moved.set)
            for other in range(processes)
            if other != number
        }
        self._keeping = [asyncio.create_task(each.keep(), name="sibling") for each in self._others.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_S):
                for each in self._others.values():
                    await each.tried.wait()

    async def keep(self) -> None:
        """Until cancelled, or until what `open` has begun fails; it ends with this."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._door.keep_saying())
            await asyncio.gather(*self._keeping)

    def holds(self, member_id: str) -> bool:
        """Whether a node of this member is connected to another process."""
        return any(member_id in each.held for each in self._others.values())

    async def deliver(self, member: Member, envelope: HashedBody) -> Delivery:
        """Send one MemberEnvelope over a link that another process holds; see Link."""
        authorisation = question_token(self._key(), member, envelope, now=self._clock.now())
        full = False
        for each in self._holders(member.id):
            said = await each.ask(member.id, authorisation, envelope)
            if isinstance(said, Delivery):
                return said
            full = full or said.full
        return OVERLOADED if full else NOT_LINKED

    def tell(self, failing: Failing) -> None:
        """Say that a member fails, or fails no longer."""
        self._door.tell(failing)

    async def all_done(self, within_s: float) -> None:
        """This process has no question of its own any more: wait until the others that run have none either."""
        self._done = True
        self._door.tell(Done())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while any(each.busy for each in self._others.values()):
                    self._moved.clear()
                    await self._moved.wait()

    async def close(self) -> None:
        """End every connection; what is under way over one ends as unreachable."""
        for task in self._keeping:
            task.cancel()
        if self._keeping:
            await asyncio.wait(self._keeping)
        await self._door.close()

    def _holders(self, member_id: str) -> list["Sibling"]:
        """Who holds a link of this member, the one with the least to do for each link first.

        A link of the same process of the node that is newer elsewhere has taken the place of the one that is older.
        """
        newest: dict[str, tuple[float, Sibling]] = {}
        for each in self._others.values():
            for process, since in each.held.get(member_id, {}).items():
                if process not in newest or newest[process][0] < since:
                    newest[process] = (since, each)
        links = Counter(each for _, each in newest.values())
        return sorted(links, key=lambda each: each.under_way[member_id] / links[each])

    def _hear(self, frame: Held | Failing) -> None:
        if isinstance(frame, Failing):
            self._heard(frame)
        else:
            self._give_way(frame.member)

    def _announce(self, member_id: str) -> None:
        self._door.tell(Held(member_id, self._links.held(member_id)))
        self._give_way(member_id)

    def _give_way(self, member_id: str) -> None:
        elsewhere: dict[str, float] = {}
        for each in self._others.values():
            for process, since in each.held.get(member_id, {}).items():
                elsewhere[process] = max(since, elsewhere.get(process, since))
        self._links.give_way(member_id, elsewhere)

    def _known(self) -> Iterable[Frame]:
        for member_id in self._links.members():
            yield Held(member_id, self._links.held(member_id))
        yield from self._failing()
        if self._done:
            yield Done()

    def _wake(self, number: int) -> None:
        """One that has just started dials us: it may be dialled."""
        if (other := self._others.get(number)) is not None:
            other.again.set()
