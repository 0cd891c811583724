"""Times as commands print them."""

from datetime import UTC, datetime


def utc(seconds: float) -> str:
    """A time in epoch seconds, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
