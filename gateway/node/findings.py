"""What was found about a file of evidence: statements, and whether they hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Verdict(StrEnum):
    """`open`: the file cannot show it, and nothing speaks against it."""

    PROVEN = "proven"
    OPEN = "not proven"
    FALSE = "FALSE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about the file, and whether it holds; it quotes ids, times and field names alone."""

    verdict: Verdict
    says: str


def proven(findings: Iterable[Finding]) -> bool:
    """Whether nothing in the file is false."""
    return all(finding.verdict is not Verdict.FALSE for finding in findings)


def false(what: str, error: Exception) -> Finding:
    """A statement that does not hold, and why."""
    return Finding(Verdict.FALSE, f"{what}: {error}")


def when(at: int) -> str:
    """A time for people; of a hostile file it may be beyond all calendars."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"second {at}"
