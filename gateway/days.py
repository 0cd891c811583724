"""Lengths of time, and the day of a time. Pure: what time it is now, clock.py alone says."""

from datetime import UTC, date, datetime
from typing import Final

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S


def day_of(seconds: float) -> date:
    """The day (UTC) of a time in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).date()
