"""Searches under way and those just made: in memory only, each bound to the session that made it.

ask() runs in a task of its own to its very end, whatever the browser does: who leaves the page must not keep the last
step, what was received, off the record. Nothing here is ever written down, and each answer goes when its sender's
`display_until` has come (docs/wire.md).
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.errors import Overloaded, PatchworkError, StorageError, TooManyRequests, logged
from gateway.events import emit
from gateway.node.ask import ask
from gateway.node.parts import NodeParts
from gateway.node.question import Question
from gateway.node.results import Asked, Completed, MemberResult

MAX_RUNNING: Final = 200  # in the whole node: each holds a request to the hub open
MAX_RUNNING_EACH: Final = 3  # of one session
MAX_KEPT_EACH: Final = 10  # of one session, the oldest goes first
MAX_KEPT: Final = 2_000  # in the whole node
SETTLE_S: Final = 0.03  # nodes wait the same time before they answer, so that answers come in flocks: show each as one
CLOSE_S: Final = 6.0  # longer than a question's deadline: what is under way at a shutdown still goes on record
_RETRY_S: Final = 5.0


@dataclass(eq=False, slots=True, kw_only=True)
class Search:
    """One question and what is known of it so far; `results` only grows, in the order of arrival.

    `expired` are members whose answers may no longer be shown. `broken` is a PatchworkError's code, if it broke off.
    `draft` is what was confirmed with it, if anything was (drafts.py).
    """

    id: str
    owner: str
    draft: str = ""
    question: Question = field(repr=False)
    started: float
    asked: Asked | None = None
    results: list[MemberResult] = field(default_factory=list, repr=False)
    completed: bool = False
    coverage_agrees: bool = True
    broken: str = ""
    expired: set[str] = field(default_factory=set)
    error: Exception | None = field(default=None, repr=False)
    news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.completed or bool(self.broken)

    @property
    def _is_complete(self) -> bool:
        return self.asked is not None and len(self.results) >= len(self.asked.members)

    async def beyond(self, seen: int, *, within_s: float) -> None:
        """Wait for more than `seen` results, or the end, at most `within_s` seconds."""
        await self._until(lambda: len(self.results) > seen, within_s)

    async def first_word(self, *, within_s: float) -> None:
        """Wait until an agency has answered, which one that cannot be reached has not."""
        await self._until(lambda: any(result.outcome.answered for result in self.results), within_s)

    async def _until(self, known: Callable[[], bool], within_s: float) -> None:
        if self.over:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (known() or self.over):
                    await self.news.wait()
                await asyncio.sleep(SETTLE_S)
                while self._is_complete and not self.over:  # the end is being put on record
                    await self.news.wait()

    def take(self, event: Asked | MemberResult | Completed) -> None:
        """Keep what pages show of an event: the exact answers are in the ledger, and nowhere else."""
        if isinstance(event, Asked):
            self.asked = event
        elif isinstance(event, MemberResult):
            self.results.append(replace(event, bundle=None, answer=None))
        else:
            self.completed, self.coverage_agrees = True, event.coverage_agrees
        self.tell()

    def tell(self) -> None:
        """Wake everybody who waits; the next news have an event of their own."""
        self.news.set()
        self.news = asyncio.Event()

    def expire(self, now: float) -> None:
        """Let go of the teams that may no longer be shown."""
        for place, result in enumerate(self.results):
            if result.rows and result.display_until is not None and result.display_until <= now:
                self.results[place] = replace(result, rows=())
                self.expired.add(result.member.id)


class Searches:
    """All searches of one running node; `parts` is that node. `counted` is told of each that has come to its end."""

    def __init__(self, parts: NodeParts, counted: Callable[[Search], Awaitable[None]] | None = None) -> None:
        self._parts = parts
        self._counted = counted
        self._searches: dict[str, Search] = {}  # oldest first
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closed = False

    async def start(self, question: Question, *, owner: str, draft: str = "") -> Search:
        """Ask, for the session `owner`; returns when the question is on its way. Raises what ask() raises before that.

        A draft is asked once: who confirms it again, at the same moment even, gets the search that is on its way.
        TooManyRequests if this session, or the whole node, has too many under way.
        """
        search = self.of_draft(draft, owner) or self._begin(question, owner, draft)
        while search.asked is None and not search.over:
            await search.news.wait()
        if search.asked is None:
            self._drop(search.id)
            raise search.error or AssertionError("ask() yields Asked first or raises")
        return search

    def get(self, search_id: str, owner: str) -> Search | None:
        """This session's search; None if there is none, it is another session's, or it may no longer be shown."""
        search = self._searches.get(search_id)
        if search is None or search.owner != owner:
            return None
        self._expire(search)
        return self._searches.get(search_id)

    def of_draft(self, draft: str, owner: str) -> Search | None:
        """What this session's draft of that id has become, while it is kept."""
        if not draft:
            return None
        return next((each for each in self._searches.values() if (each.draft, each.owner) == (draft, owner)), None)

    def forget(self, owner: str) -> None:
        """A session has ended: nobody sees its searches again. Those under way still go on record."""
        for search_id in [search.id for search in self._searches.values() if search.owner == owner]:
            self._drop(search_id)

    async def close(self) -> None:
        """Take no more, and let those under way come to their end: call this before the ledger closes."""
        self._closed = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for search_id in list(self._searches):
            self._drop(search_id)

    def _begin(self, question: Question, owner: str, draft: str) -> Search:
        self._make_room(owner)
        now = self._parts.clock.now()
        search = Search(id=secrets.token_urlsafe(16), owner=owner, draft=draft, question=question, started=now)
        self._searches[search.id] = search
        task = asyncio.create_task(self._run(search))
        self._tasks[search.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(search.id, None))
        return search

    async def _run(self, search: Search) -> None:
        try:
            async for event in ask(search.question, node=self._parts):
                search.take(event)
        except PatchworkError as error:
            search.error, search.broken = error, error.code
            if isinstance(error, StorageError):  # the rest is the hub's and the asker's own
                emit("search.failed", level=logging.ERROR, **logged(error))
        except asyncio.CancelledError:
            search.error, search.broken = Overloaded("this node is stopping"), Overloaded.code
            raise
        except Exception as error:
            search.error, search.broken = error, PatchworkError.code
            emit("search.failed", level=logging.ERROR, **logged(error))
        finally:
            search.tell()
            self._expire(search)
        if search.asked is not None and self._counted is not None:
            await self._counted(search)  # after all has been shown: nobody waits for it

    def _make_room(self, owner: str) -> None:
        mine = [search for search in self._searches.values() if search.owner == owner]
        running = self._tasks.keys()
        if self._closed or len(running) >= MAX_RUNNING:
            raise TooManyRequests("too many searches are under way here", retry_after_s=_RETRY_S)
        if sum(search.id in running for search in mine) >= MAX_RUNNING_EACH:
            raise TooManyRequests("too many searches of one session are under way", retry_after_s=_RETRY_S)
        over = [search for search in mine if search.id not in running]
        for search in _oldest(over, len(mine) - MAX_KEPT_EACH + 1):
            self._drop(search.id)
        over = [search for search in self._searches.values() if search.id not in running]
        for search in _oldest(over, len(self._searches) - MAX_KEPT + 1):
            self._drop(search.id)

    def _expire(self, search: Search) -> None:
        """Let go of what is out of time, and come back when the next of it will be."""
        now = self._parts.clock.now()
        search.expire(now)
        ends = search.started + self._parts.display_s
        if now >= ends:
            self._drop(search.id)
        elif search.over and search.id in self._searches:
            due = min([ends, *(r.display_until for r in search.results if r.rows and r.display_until is not None)])
            self._clear_timer(search.id)
            self._timers[search.id] = asyncio.get_running_loop().call_later(due - now, self._expire, search)

    def _drop(self, search_id: str) -> None:
        self._clear_timer(search_id)
        self._searches.pop(search_id, None)

    def _clear_timer(self, search_id: str) -> None:
        if (timer := self._timers.pop(search_id, None)) is not None:
            timer.cancel()


def _oldest(searches: Iterable[Search], count: int) -> Iterable[Search]:
    return list(searches)[: max(0, count)]
