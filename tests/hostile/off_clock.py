"""A machine whose clock is wrong."""

from dataclasses import dataclass

from gateway.clock import Clock


@dataclass(slots=True)
class OffClock:
    """A clock that runs with another, some seconds off it."""

    right: Clock
    off: float = 0.0

    def now(self) -> float:
        return self.right.now() + self.off
