"""Skips a member that keeps failing, so that a dead node costs nothing to everybody else's questions.

After FAILURES_TO_OPEN faults in a row a member is skipped (`not-tried`) for a while; then one question at a time tries
it again, and each such try that fails doubles the while. Only faults of the member's own making count
(`Delivery.fault`).
"""

from dataclasses import dataclass

from gateway.clock import Clock
from gateway.links.contract import Delivery

FAILURES_TO_OPEN = 5
FIRST_SKIP_S = 5.0
LONGEST_SKIP_S = 60.0  # a repaired node is back within this


@dataclass(slots=True)
class _Faults:
    in_a_row: int = 0
    skip_until: float = 0.0
    trying: bool = False


class Circuits:
    """One circuit per member that has failed since its last success."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._faults: dict[str, _Faults] = {}

    def admits(self, member: str) -> bool:
        """True if a question may be sent to `member` now; each True must be followed by `record` or `abandon`."""
        faults = self._faults.get(member)
        if faults is None or faults.in_a_row < FAILURES_TO_OPEN:
            return True
        # LONGEST_SKIP_S also bounds the effect of a clock that was set back.
        waiting = 0 < faults.skip_until - self._clock.now() <= LONGEST_SKIP_S
        if waiting or faults.trying:
            return False
        faults.trying = True
        return True

    def try_again(self, member: str) -> None:
        """Its node has just dialled: let one question try it now, whatever is left of the time to skip it."""
        if member in self._faults:
            self._faults[member].skip_until = 0.0

    def skips(self, member: str) -> bool:
        """True while `member` keeps failing and is tried at most by one question at a time."""
        faults = self._faults.get(member)
        return faults is not None and faults.in_a_row >= FAILURES_TO_OPEN

    def record(self, member: str, delivery: Delivery) -> None:
        """Learn how an admitted delivery ended."""
        if not delivery.fault:
            self._faults.pop(member, None)
            return
        faults = self._faults.setdefault(member, _Faults())
        if faults.in_a_row >= FAILURES_TO_OPEN and not faults.trying:
            return  # sent before it was skipped: many under way at once fail for one reason, and say nothing new
        faults.trying = False
        faults.in_a_row += 1
        excess = faults.in_a_row - FAILURES_TO_OPEN
        if excess >= 0:
            skip = min(LONGEST_SKIP_S, FIRST_SKIP_S * 2.0 ** min(excess, 10))
            faults.skip_until = self._clock.now() + skip

    def abandon(self, member: str) -> None:
        """An admitted delivery ended without saying anything about the member, as when the asker went away."""
        faults = self._faults.get(member)
        if faults is not None:
            faults.trying = False
