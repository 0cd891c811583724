"""What a browser has begun and must come back with within minutes: in memory, each used once.

There is one of a kind for each browser, and in all no more than MAX_PENDING; the oldest goes first. A restart forgets
them, and people begin again.
"""

from typing import Final, Generic, TypeVar

from gateway.clock import Clock

MAX_PENDING: Final = 10_000  # whoever would push out somebody's within the minute that it takes must send 10,000 in it

T = TypeVar("T")


class Pending(Generic[T]):
    """By owner, which is a text that only the browser's cookie gives."""

    def __init__(self, clock: Clock, *, lasts_s: float) -> None:
        """`lasts_s`: seconds until it is forgotten."""
        self._clock = clock
        self._lasts_s = lasts_s
        self._kept: dict[str, tuple[float, T]] = {}  # oldest first

    def begin(self, owner: str, what: T) -> None:
        """Keep it in place of this owner's earlier one."""
        self._kept.pop(owner, None)
        if len(self._kept) >= MAX_PENDING:
            del self._kept[next(iter(self._kept))]
        self._kept[owner] = self._clock.now(), what

    def take(self, owner: str) -> T | None:
        """What this owner began, once; None if there is nothing, or it is too old."""
        since, what = self._kept.pop(owner, (0.0, None))
        return what if self._clock.now() - since < self._lasts_s else None
