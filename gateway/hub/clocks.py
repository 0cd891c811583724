"""Whose clock is wrong: what time members' requests said when they came, against this machine's.

A hub whose clock is off refuses what every member signs, and so cannot be told by what it has taken. So the time of
each request that is authentic counts, also of one that is refused for its time. It says something of the member's clock
or of ours; `patchwork doctor` (gateway/doctor/member_clocks.py) tells which, by how many of them agree. An old request
can be shown again by whoever was handed it, at any time; so of each member nothing counts that was signed before what
has counted already, unless it is in its time.
"""

import asyncio
import logging

from gateway.clock import Clock
from gateway.database.contract import Database, Statement, Work
from gateway.errors import StorageError
from gateway.events import emit
from gateway.wire.limits import SKEW_S

KEPT_EVERY_S = 60.0


class MemberClocks:
    """One for each process of a hub: the last difference of each member, kept in the hub's database now and then."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._seen: dict[str, tuple[float, float]] = {}  # ahead_s, seen_at; as many as there are members
        self._latest: dict[str, int] = {}  # by a member's own clock

    def heard(self, member: str, issued_at: int) -> None:
        """A member has signed a request at `issued_at` by its clock, and it is here now."""
        now = self._clock.now()
        latest = self._latest.get(member)
        if latest is not None and issued_at <= latest and abs(issued_at - now) > SKEW_S:
            return
        self._latest[member] = issued_at if latest is None else max(latest, issued_at)
        self._seen[member] = (issued_at - now, now)

    async def keep(self) -> None:
        """Keep what was heard, for ever, until cancelled; a database that is away is said once."""
        failing = False
        while True:
            await asyncio.sleep(KEPT_EVERY_S)
            try:
                await self.keep_now()
                failing = False
            except StorageError as error:
                if not failing:
                    emit("clocks.not_kept", level=logging.WARNING, code=error.code)
                failing = True

    async def keep_now(self) -> None:
        """Write what was heard since the last time; raises StorageError."""
        if not self._seen:
            return
        seen, self._seen = self._seen, {}
        try:
            await self._database.write(_keep(seen))
        except StorageError:
            self._seen = seen | self._seen
            raise


def clocks_seen() -> Work[dict[str, tuple[float, float]]]:
    """By member: how many seconds its clock was ahead of this machine's, and when that was seen."""
    rows = yield Statement("SELECT member, ahead, seen_at FROM member_clock ORDER BY member")
    return {member: (ahead, seen_at) for member, ahead, seen_at in rows}


def _keep(seen: dict[str, tuple[float, float]]) -> Work[None]:
    yield Statement(
        "INSERT INTO member_clock (member, ahead, seen_at) VALUES (?, ?, ?) "
        "ON CONFLICT (member) DO UPDATE SET ahead = excluded.ahead, seen_at = excluded.seen_at "
        "WHERE excluded.ahead + excluded.seen_at > member_clock.ahead + member_clock.seen_at "  # another process's
        "OR abs(excluded.ahead) <= ?",
        [(member, ahead, seen_at, SKEW_S) for member, (ahead, seen_at) in seen.items()],
    )
