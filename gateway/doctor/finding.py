"""What one check found."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from gateway.days import DAY_S, HOUR_S


class Level(StrEnum):
    """WELL: nothing to do. SOON: it works, and will not for ever. WRONG: something does not work now."""

    WELL = "well"
    SOON = "soon"
    WRONG = "wrong"


_ORDER = tuple(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`check` is stable, for programs; `what` is the case, `do` the next step, "" where there is none."""

    check: str
    level: Level
    what: str
    do: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    """The gravest level among them; WELL for none."""
    return max((finding.level for finding in findings), key=_ORDER.index, default=Level.WELL)


def well(check: str, what: str) -> Finding:
    """Nothing to do here."""
    return Finding(check=check, level=Level.WELL, what=what)


def soon(check: str, what: str, do: str) -> Finding:
    """It works, and will not for ever."""
    return Finding(check=check, level=Level.SOON, what=what, do=do)


def wrong(check: str, what: str, do: str) -> Finding:
    """It does not work."""
    return Finding(check=check, level=Level.WRONG, what=what, do=do)


def spell(seconds: float) -> str:
    """A length of time as people say it: `3 days`, `1 hour`, `40 minutes`."""
    for length, word in ((DAY_S, "day"), (HOUR_S, "hour"), (60, "minute"), (1, "second")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {word}{'s' if count != 1 else ''}"
    return "0 seconds"


def moment(at: float) -> str:
    """A time, as `2026-11-23 14:05 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
