"""Work that takes longer than a request: it runs on when the page is left, and the page looks how far it has come.

    async def work(job: Job) -> Verified:
        job.total = size
        async for step in ...:
            job.done += 1
        return Verified(...)

    job = site.background.start("verify", work, owner=user.session.public_id)
    raise web.HTTPSeeOther(f"/manage/ledger/jobs/{job.id}")

Work runs in the event loop that answers: it must give way (`await`) after each few milliseconds, and read through
`site.database`, never through the node's. Results are in memory only, and gone with a restart.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.clock import Clock
from gateway.errors import PatchworkError, TooManyRequests, logged
from gateway.events import emit

MAX_RUNNING: Final = 4  # in the whole node, of every kind
MAX_KEPT: Final = 100  # that have ended, in the whole node; the oldest goes first
KEPT_S: Final = 3600.0  # how long a result can be looked at
LIMIT_S: Final = 3600.0  # nothing runs longer
CLOSE_S: Final = 5.0
_RETRY_S: Final = 30.0


@dataclass(eq=False, slots=True, kw_only=True)
class Job:
    """One piece of work: `done` of `total` (0: not known yet), and its result once it is over.

    `about` tells it from others of its kind, where that matters.
    `broken` is a PatchworkError's code if it failed, and `error` what it raised; pages word it themselves.
    """

    id: str
    kind: str
    owner: str
    started: float
    about: str = ""
    done: int = 0
    total: int = 0
    ended: float | None = None
    result: Any = field(default=None, repr=False)
    broken: str = ""
    error: Exception | None = field(default=None, repr=False)

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.ended is not None

    @property
    def percent(self) -> int:
        """How far it has come; 0 while nobody knows, and never 100 before the end."""
        if self.over:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0


class Background:
    """All such work of one running node."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}  # oldest first
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._closed = False

    def start(
        self, kind: str, work: Callable[[Job], Awaitable[Any]], *, owner: str, about: str = "", most: int = 1
    ) -> Job:
        """Begin `work` for the session `owner` ("": for the node, whoever signs out).

        At most `most` of one kind run at a time, whoever began them. Raises TooManyRequests if so many run already, of
        this kind or in all, or the node is stopping.
        """
        of_kind = sum(job.kind == kind for job in self._tasks)
        if self._closed or len(self._tasks) >= MAX_RUNNING or of_kind >= most:
            raise TooManyRequests("as much as is allowed runs already", retry_after_s=_RETRY_S)
        self._sweep()
        job = Job(id=secrets.token_urlsafe(16), kind=kind, owner=owner, about=about, started=self._clock.now())
        self._jobs[job.id] = job
        self._tasks[job] = asyncio.create_task(self._run(job, work))
        return job

    def get(self, job_id: str, *, kind: str, owner: str | None = None) -> Job | None:
        """A job of that kind, while it is kept; with `owner` only that session's own."""
        self._sweep()
        job = self._jobs.get(job_id)
        if job is None or job.kind != kind or owner not in (None, job.owner):
            return None
        return job

    def latest(self, kind: str, *, owner: str | None = None, about: str | None = None) -> Job | None:
        """The newest job of a kind that is kept; with `owner` of that session's own, with `about` of this."""
        self._sweep()
        wanted = (
            job
            for job in reversed(self._jobs.values())
            if job.kind == kind and owner in (None, job.owner) and about in (None, job.about)
        )
        return next(wanted, None)

    def stop(self, job: Job) -> None:
        """End it before its time; nothing is left of it."""
        if (task := self._tasks.get(job)) is not None:
            task.cancel()
        self._jobs.pop(job.id, None)

    def forget(self, owner: str) -> None:
        """A session has ended: its work ends, and nobody sees its results."""
        for job in [job for job in self._jobs.values() if job.owner == owner]:
            self.stop(job)

    async def close(self) -> None:
        """Take no more, and end what runs: call this before the databases close."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        self._jobs.clear()

    async def _run(self, job: Job, work: Callable[[Job], Awaitable[Any]]) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                job.result = await work(job)
        except PatchworkError as error:
            job.error, job.broken = error, error.code
            emit("background.failed", level=logging.WARNING, kind=job.kind, **logged(error))
        except Exception as error:
            job.error, job.broken = error, PatchworkError.code
            emit("background.failed", level=logging.ERROR, kind=job.kind, **logged(error))
        finally:
            job.ended = self._clock.now()
            self._tasks.pop(job, None)

    def _sweep(self) -> None:
        now = self._clock.now()
        over = [job for job in self._jobs.values() if job.ended is not None]
        for place, job in enumerate(over):
            if len(over) - place > MAX_KEPT or now - (job.ended or now) >= KEPT_S:
                self._jobs.pop(job.id, None)
