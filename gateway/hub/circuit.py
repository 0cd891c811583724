"""Skips a member that keeps failing, so that a dead node costs nothing to everybody else's questions.

After FAILURES_TO_OPEN faults in a row a member is skipped (`not-tried`) for a while; then one question at a time tries
it again, and each such try that fails doubles the while. Only faults of the member's own making count
(`Delivery.fault`).

Several processes of a hub tell each other of each fault, of the end of a row, and of a node that dials again. That
takes a moment: what they had under way in it counts in each, as it does in one. That one question at a time tries is
exact (gateway/hub/places.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.hub.places import Places
from gateway.links.contract import Delivery

FAILURES_TO_OPEN = 5
FIRST_SKIP_S = 5.0
LONGEST_SKIP_S = 60.0  # a repaired node is back within this

Tell = Callable[[str, int, float], None]
"""Takes a member, how often it has failed in a row, and until when it is skipped; 0 times: not since it succeeded.

Until 0: it has dialled, and one question may try it now.
"""


@dataclass(slots=True)
class _Faults:
    in_a_row: int = 0
    skip_until: float = 0.0


class Circuits:
    """One circuit per member that has failed since its last success."""

    def __init__(self, *, clock: Clock, places: Places | None = None) -> None:
        """`places`: those that several processes share; a single one needs none."""
        self._clock = clock
        self._places = places
        self._faults: dict[str, _Faults] = {}
        self._trying: dict[str, int | None] = {}  # with the place that it has
        self._listeners: list[Tell] = []

    def when_changed(self, tell: Tell) -> None:
        """Have each fault that counts told, and each end of a row."""
        self._listeners.append(tell)

    def admits(self, member: str) -> bool:
        """True if a question may be sent to `member` now; each True must be followed by `record` or `abandon`."""
        faults = self._faults.get(member)
        if faults is None or faults.in_a_row < FAILURES_TO_OPEN:
            return True
        # LONGEST_SKIP_S also bounds the effect of a clock that was set back.
        waiting = 0 < faults.skip_until - self._clock.now() <= LONGEST_SKIP_S
        return not waiting and self._begin_to_try(member)

    def try_again(self, member: str) -> None:
        """Its node has just dialled: let one question try it now, whatever is left of the time to skip it."""
        if self.skips(member):
            self._faults[member].skip_until = 0.0
            self._tell(member, self._faults[member])

    def skips(self, member: str) -> bool:
        """True while `member` keeps failing and is tried at most by one question at a time."""
        faults = self._faults.get(member)
        return faults is not None and faults.in_a_row >= FAILURES_TO_OPEN

    def skipped(self) -> list[tuple[str, int, float]]:
        """All that are skipped, as they are told."""
        return [(member, each.in_a_row, each.skip_until) for member, each in self._faults.items() if self.skips(member)]

    def record(self, member: str, delivery: Delivery) -> None:
        """Learn how an admitted delivery ended."""
        tried = self._end_try(member)
        if not delivery.fault:
            if self._faults.pop(member, None) is not None:
                self._tell(member, _Faults())
            return
        faults = self._faults.setdefault(member, _Faults())
        if faults.in_a_row >= FAILURES_TO_OPEN and not tried:
            return  # sent before it was skipped: many under way at once fail for one reason, and say nothing new
        self._count(faults)
        self._tell(member, faults)

    def abandon(self, member: str) -> None:
        """An admitted delivery ended without saying anything about the member, as when the asker went away."""
        self._end_try(member)

    def heard(self, member: str, in_a_row: int, skip_until: float) -> None:
        """Another process of this hub has told this of a member; hearing the same of one that is skipped is nothing."""
        if not in_a_row:
            self._faults.pop(member, None)
            return
        faults = self._faults.setdefault(member, _Faults())
        if in_a_row >= FAILURES_TO_OPEN:
            faults.in_a_row = max(faults.in_a_row, in_a_row)
            faults.skip_until = max(faults.skip_until, skip_until) if skip_until else 0.0
        elif faults.in_a_row < FAILURES_TO_OPEN:
            self._count(faults)

    def _count(self, faults: _Faults) -> None:
        faults.in_a_row += 1
        excess = faults.in_a_row - FAILURES_TO_OPEN
        if excess >= 0:
            skip = min(LONGEST_SKIP_S, FIRST_SKIP_S * 2.0 ** min(excess, 10))
            faults.skip_until = self._clock.now() + skip

    def _tell(self, member: str, faults: _Faults) -> None:
        for tell in self._listeners:
            tell(member, faults.in_a_row, faults.skip_until)

    def _begin_to_try(self, member: str) -> bool:
        """Whether no other question tries it, here or in another process."""
        if member in self._trying:
            return False
        place = None
        if self._places is not None:
            place = self._places.take_try(member)
            if place is None:
                return False
        self._trying[member] = place
        return True

    def _end_try(self, member: str) -> bool:
        if member not in self._trying:
            return False
        place = self._trying.pop(member)
        if self._places is not None and place is not None:
            self._places.give_back(member, place)
        return True
