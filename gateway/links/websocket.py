"""Link (b): questions go over connections that the members' nodes have opened (docs/wire.md, "Links").

The node of a member that nobody can reach from outside dials the hub, and keeps the connection. Each process of it has
one. A question goes to the one with the least to do and never to a second, whatever becomes of the first: over a
connection that breaks, all that was under way ends as unreachable. Of a hub of several processes each holds some of the
links; siblings.py passes questions from one to the other.

What a node can do to us here is bounded: the size of a frame, the time to take one, frames that nobody waits for
(none), questions under way, connections. Who breaks a bound loses the connection, not one answer.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from aiohttp import WSCloseCode, WSMsgType

from gateway.clock import Clock
from gateway.errors import MalformedMessage, NotForUs, WireError
from gateway.events import emit
from gateway.links.bounded_socket import BoundedSocket
from gateway.links.contract import Delivery
from gateway.links.delivery import NOT_LINKED, OVERLOADED, OVERLOADED_CODE, REFUSED, UNREACHABLE, question_token
from gateway.links.signs_of_life import SignsOfLife, is_silent
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_ANSWER_FRAME_BYTES, MAX_IN_FLIGHT_PER_LINK, MAX_LINKS_PER_MEMBER, REQUEST_LIFETIME_S
from gateway.wire.link_frames import (
    AnswerFrame,
    HeardFrame,
    LeavingFrame,
    NewsFrame,
    QuestionFrame,
    RefusedFrame,
    read_from_node,
)
from gateway.wire.request import HashedBody

HEARTBEAT_S = 15.0  # a ping after so much silence; without a pong within half of it the connection is dead
WRITE_S = 5.0  # a node that does not take what was sent for so long is no node
CLOSE_S = 2.0  # for the other side's farewell
FRAME_HEADS_BYTES = 1024  # of one answer, in however many fragments
# A question whose asker has gone keeps its place until the node has answered it, so that it cannot be flooded; not
# longer than this, by which its token has long ended.
ABANDONED_S = 2.0 * REQUEST_LIFETIME_S
LEAVING_S = 15.0  # from a node's farewell to the end of its link: longer than a node lets its answers take
KEY_CHECK_S = 30.0  # at most between two looks whether a link's key is still in force: clocks can be set

SILENT = "silent"  # in logs: why a link has ended


def link_socket() -> BoundedSocket:
    """The hub's end of a link, to be prepared with the node's request."""
    return BoundedSocket(
        each=MAX_ANSWER_FRAME_BYTES + FRAME_HEADS_BYTES,
        heartbeat=HEARTBEAT_S,
        timeout=CLOSE_S,
        compress=False,
        max_msg_size=MAX_ANSWER_FRAME_BYTES,
        autoping=False,
    )


def counts_until(kid: str, listed: Member | None, now: float) -> float:
    """When a link ends that was opened with this key, as its member is listed now; 0 if it must not be there at all."""
    if listed is None or not listed.active or kid not in listed.keys_at(now):
        return 0.0
    return listed.key_counts_until(kid, now)


class OpenLink:
    """One connection.

    `member`: as it was listed when its node opened this, with its key `kid`. `process`: the node's own name for whoever
    did. `abort`: ends the connection below, with all that waits to be sent.
    """

    def __init__(
        self,
        member: Member,
        process: str,
        socket: BoundedSocket,
        *,
        kid: str,
        clock: Clock,
        abort: Callable[[], None],
    ) -> None:
        self.member = member
        self.process = process
        self.since = time.monotonic()  # the same clock in each process of this hub
        self._socket = socket
        self._kid = kid
        self._clock = clock
        self._until = counts_until(kid, member, clock.now())
        self._abort = abort
        self._waiting: dict[str, asyncio.Future[Delivery]] = {}  # oldest first; done: its asker has gone
        self._sent_at: dict[str, float] = {}
        self._to_send: asyncio.Queue[QuestionFrame | NewsFrame | HeardFrame] = asyncio.Queue()
        self._ended = False
        self._left = False
        self._leaving: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def usable(self) -> bool:
        """Whether it takes questions: it has not ended, its node does not leave, and its key counts."""
        return not (self._ended or self._left or self._is_over)

    @property
    def _is_over(self) -> bool:
        return self._clock.now() >= self._until

    @property
    def in_flight(self) -> int:
        """Questions to which the node has said nothing."""
        long_ago = asyncio.get_running_loop().time() - ABANDONED_S
        while self._sent_at and (oldest := next(iter(self._sent_at.items())))[1] < long_ago:
            self._forget(oldest[0])
        return len(self._waiting)

    def under_way(self) -> list[asyncio.Future[Delivery]]:
        """Deliveries that somebody waits for."""
        return [answered for answered in self._waiting.values() if not answered.done()]

    def follow(self, listed: Member | None) -> bool:
        """Go by a newer document; False if by that this link must not be there."""
        self._until = counts_until(self._kid, listed, self._clock.now())
        return not self._is_over

    async def deliver(self, question: QuestionFrame) -> Delivery:
        """Send one question, and wait for what the node says to it."""
        if self._ended:
            return UNREACHABLE
        if not self.usable:
            return NOT_LINKED
        answered: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._waiting[question.id] = answered
        self._sent_at[question.id] = asyncio.get_running_loop().time()
        self._to_send.put_nowait(question)
        return await answered  # a cancelled caller cancels the future, which keeps its place

    def tell(self, seq: int) -> None:
        """Say that there is a newer federation document."""
        self._to_send.put_nowait(NewsFrame(seq))

    async def run(self) -> None:
        """Until the connection ends, whoever ends it; what is under way then ends as unreachable."""
        beside = [asyncio.create_task(self._write()), asyncio.create_task(self._end_with_key())]
        code, signs = "closed", SignsOfLife()
        try:
            async for message in self._socket:
                if is_silent(self._socket):
                    break
                if await signs.take(message, self._socket):
                    continue
                if message.type is not WSMsgType.TEXT:
                    raise MalformedMessage("link: not a text message of at most the longest answer")
                self._take(read_from_node(message.data))
        except WireError as error:
            code = error.code
            self.end(WSCloseCode.POLICY_VIOLATION)
        except (TimeoutError, OSError):
            code = "does-not-read"
        finally:
            for task in beside:
                task.cancel()
            self.end(WSCloseCode.GOING_AWAY)
            code = "too-much" if self._socket.flooded else SILENT if is_silent(self._socket) else code
            emit("link.closed", level=logging.INFO, member=self.member.id, code=code)

    def end(self, code: WSCloseCode) -> None:
        """Take no more questions, end those under way, and say farewell in the background."""
        if self._ended:
            return
        self._ended = True
        if self._leaving is not None:
            self._leaving.cancel()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_result(NOT_LINKED if self._left or self._is_over else UNREACHABLE)
        self._waiting.clear()
        self._sent_at.clear()
        self._closing = asyncio.create_task(self._say_farewell(code))

    async def closed(self) -> None:
        """Wait for the farewell, if one was said."""
        if self._closing is not None:
            await asyncio.wait([self._closing])

    async def _end_with_key(self) -> None:
        """No link outlives the key that opened it; a node that has another in force dials again."""
        while not self._is_over:  # noqa: ASYNC110 - a clock has no event
            await asyncio.sleep(min(KEY_CHECK_S, self._until - self._clock.now()))
        self.end(WSCloseCode.POLICY_VIOLATION)

    def _leave(self) -> None:
        """The node stops: what it was sent it answers, and it is sent no more. Raises NotForUs if it said so before."""
        if self._left:
            raise NotForUs("link: a second farewell")
        self._left = True
        self._to_send.put_nowait(HeardFrame())  # after all that was to be sent
        self._leaving = asyncio.get_running_loop().call_later(LEAVING_S, self.end, WSCloseCode.GOING_AWAY)

    async def _say_farewell(self, code: WSCloseCode) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code=code)
        except TimeoutError:
            pass  # it does not read
        self._abort()

    async def _write(self) -> None:
        """One frame after the other, none of which may take long; those of askers that have gone are not sent."""
        while True:
            frame = await self._to_send.get()
            if isinstance(frame, QuestionFrame) and self._is_abandoned(frame.id):
                self._forget(frame.id)
                continue
            try:
                if isinstance(frame, QuestionFrame):
                    self._socket.ask()
                async with asyncio.timeout(WRITE_S):
                    await self._socket.send_str(frame.to_json())
            except (TimeoutError, OSError):
                self.end(WSCloseCode.GOING_AWAY)
                return

    def _is_abandoned(self, id_: str) -> bool:
        answered = self._waiting.get(id_)
        return answered is None or answered.done()

    def _take(self, frame: AnswerFrame | RefusedFrame | LeavingFrame) -> None:
        """Hand an answer to who waits for it; raises NotForUs if it was never asked for."""
        if isinstance(frame, LeavingFrame):
            self._leave()
            return
        answered = self._forget(frame.id)
        if answered is None:
            raise NotForUs("link: an answer to no question")
        if answered.done():
            return
        if isinstance(frame, AnswerFrame):
            answered.set_result(Delivery(outcome=DeliveryOutcome.ANSWERED, answer=frame.sealed))
        else:
            answered.set_result(OVERLOADED if frame.code == OVERLOADED_CODE else REFUSED)

    def _forget(self, id_: str) -> asyncio.Future[Delivery] | None:
        self._sent_at.pop(id_, None)
        answered = self._waiting.pop(id_, None)
        self._socket.settle(len(self._waiting))
        return answered


class WebSocketLink:
    """All links that are open, by member. Fulfils Link; gateway/hub/link_door.py adds to it."""

    def __init__(
        self, *, key: Callable[[], SigningKey], clock: Clock, changed: Callable[[str, int], None] = lambda _, __: None
    ) -> None:
        """`key` gives the one to sign with now. `changed`: is told how many links a member has, when that changes."""
        self._key = key
        self._clock = clock
        self._changed = changed
        self._links: dict[str, list[OpenLink]] = {}  # newest first
        self._listeners: list[Callable[[str], None]] = []
        self._leaving = False

    def when_changed(self, tell: Callable[[str], None]) -> None:
        """Have each member told of whom one more or less link is open."""
        self._listeners.append(tell)

    def holds(self, member_id: str) -> bool:
        """Whether a node of this member is connected, and may be asked."""
        return not self._leaving and bool(self._usable(member_id))

    def held(self, member_id: str) -> dict[str, float]:
        """The links of this member: the node's process, and since when."""
        return {link.process: link.since for link in self._usable(member_id)}

    def members(self) -> list[str]:
        """Whose nodes are connected."""
        return list(self._links)

    def with_room(self, member_id: str) -> OpenLink | None:
        """The link of this member with the least to do; None if each has as much as it may, or there is none."""
        links = self._usable(member_id) if self.holds(member_id) else ()
        link = min(links, key=lambda each: each.in_flight, default=None)  # the first of equals, which is the newest
        return None if link is None or link.in_flight >= MAX_IN_FLIGHT_PER_LINK else link

    async def deliver(self, member: Member, envelope: HashedBody) -> Delivery:
        """Send one MemberEnvelope to `member` and wait for its sealed answer; see Link."""
        link = self.with_room(member.id)
        if link is None:
            return OVERLOADED if self.holds(member.id) else NOT_LINKED
        return await link.deliver(
            QuestionFrame(
                id=str(uuid4()),
                authorisation=question_token(self._key(), member, envelope, now=self._clock.now()),
                envelope=envelope.data,
                traceparent=envelope.traceparent,
            )
        )

    async def hold(self, link: OpenLink, *, seq: int) -> None:
        """Keep a new link until it ends; `seq`: of the document in force, so that the node need not wait for news.

        It takes the place of an older one of the same process, which must have lost it, and of the oldest if a member
        has too many.
        """
        if self._leaving:
            return
        held = self._links.setdefault(link.member.id, [])
        for older in [each for each in held if each.process == link.process] or held[MAX_LINKS_PER_MEMBER - 1 :]:
            self._drop(older, WSCloseCode.GOING_AWAY)
        self._links.setdefault(link.member.id, []).insert(0, link)
        emit("link.opened", member=link.member.id)
        self._tell_changed(link.member.id)
        link.tell(seq)
        try:
            await link.run()
        finally:
            self._drop(link, WSCloseCode.GOING_AWAY)
            await link.closed()

    def tell(self, seq: int, members: Mapping[str, Member]) -> None:
        """A newer document is out: say so to every node, and close links that by it nobody could open any more.

        A member that is suspended, and a key that was taken out, so lose their links at once; a node with a key in
        force dials again. A key that gives way to the next keeps its link as long as it is good.
        """
        for link in [each for links in self._links.values() for each in links]:
            if link.follow(members.get(link.member.id)):
                link.tell(seq)
            else:
                self._drop(link, WSCloseCode.POLICY_VIOLATION)

    def give_way(self, member_id: str, elsewhere: Mapping[str, float]) -> None:
        """Other processes of this hub hold these links of the member, as `held` says: keep the newest of all alone."""
        newest = dict(elsewhere)
        for process, since in self.held(member_id).items():
            newest[process] = max(since, newest.get(process, since))
        kept = sorted(newest.values(), reverse=True)[:MAX_LINKS_PER_MEMBER]
        oldest = kept[-1] if kept else 0.0
        for link in self._usable(member_id):
            if link.since < max(oldest, elsewhere.get(link.process, link.since)):
                self._drop(link, WSCloseCode.GOING_AWAY)

    async def close(self, *, within_s: float = 0.0) -> None:
        """Take no more questions, let those under way end within this time, then close every link."""
        self._leaving = True
        links = [each for links in self._links.values() for each in links]
        under_way = [answer for link in links for answer in link.under_way()]
        if under_way and within_s:
            await asyncio.wait(under_way, timeout=within_s)
        for link in links:
            self._drop(link, WSCloseCode.GOING_AWAY)
        for link in links:
            await link.closed()

    def _usable(self, member_id: str) -> list[OpenLink]:
        """Newest first."""
        return [link for link in self._links.get(member_id, ()) if link.usable]

    def _drop(self, link: OpenLink, code: WSCloseCode) -> None:
        held = self._links.get(link.member.id, [])
        if link in held:
            held.remove(link)
            if not held:
                del self._links[link.member.id]
        link.end(code)
        self._tell_changed(link.member.id)

    def _tell_changed(self, member_id: str) -> None:
        self._changed(member_id, len(self._usable(member_id)))
        for tell in self._listeners:
            tell(member_id)
