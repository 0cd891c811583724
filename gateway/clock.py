"""The only place that asks what time it is; everything else is handed a Clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in seconds since 1970-01-01T00:00:00Z, with fractions."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()
