"""Time limits of what is written beside the tree: answers kept as evidence, and counts between members.

Each function drops no more than PIECE_ROWS rows, oldest first, in one transaction, so that no answer waits for long:
call it again while it has dropped so many. Deleting any of this leaves the tree and every proof as they were.
"""

from datetime import UTC, datetime, timedelta

from consent_ledger.record import HeaderReader
from consent_ledger.storage import Value, Work

PIECE_ROWS = 250

_MONTHS = 12
_SECONDS_PER_HOUR = 3600


def hour_of_month(now: float, months: int) -> int:
    """The hour in which the month begins that was `months` whole months ago; 0, before which nothing is, for none."""
    if not months:
        return 0
    today = datetime.fromtimestamp(now, UTC)
    first = today.year * _MONTHS + today.month - 1 - months
    if first < _MONTHS * 1970:
        return 0
    began = datetime(first // _MONTHS, first % _MONTHS + 1, 1, tzinfo=UTC)
    return int(began.timestamp()) // _SECONDS_PER_HOUR


def hour_of_day(now: float, days: int) -> int:
    """The hour that was `days` ago; 0 for none."""
    return max(0, int(now - timedelta(days=days).total_seconds()) // _SECONDS_PER_HOUR) if days else 0


def drop_answers(before: int) -> Work[int]:
    """Drop answers and bundles whose entries are of an hour before that; returns how many."""
    rows = yield (
        "SELECT kept_answer.seq, entry.leaf FROM kept_answer JOIN entry ON entry.seq = kept_answer.seq"
        " ORDER BY kept_answer.seq LIMIT ?",
        (PIECE_ROWS,),
    )
    headers = HeaderReader()
    over: list[tuple[Value, ...]] = [(seq,) for seq, leaf in rows if headers.read(leaf).hour < before]
    yield "DELETE FROM kept_answer WHERE seq = ?", over
    return len(over)


def drop_counts(before: int) -> Work[int]:
    """Drop counts of hours before that, having noted that they are no longer kept; returns how many rows."""
    yield "UPDATE exchange_head SET kept_from = max(kept_from, ?) WHERE id = 1", (before,)
    hours = yield (
        "DELETE FROM exchange_hour WHERE (hour, member) IN"
        " (SELECT hour, member FROM exchange_hour WHERE hour < ? ORDER BY hour LIMIT ?) RETURNING 1",
        (before, PIECE_ROWS),
    )
    opened = yield (
        "DELETE FROM exchange_open WHERE (jti, member) IN"
        " (SELECT jti, member FROM exchange_open WHERE hour < ? ORDER BY hour LIMIT ?) RETURNING 1",
        (before, PIECE_ROWS - len(hours)),
    )
    return len(hours) + len(opened)


def drop_late(before: int) -> Work[int]:
    """Drop notes of late answers of an hour before that, against which nothing was counted; returns how many."""
    rows = yield (
        "DELETE FROM late_answer WHERE (member, jti) IN"
        " (SELECT member, jti FROM late_answer WHERE noted_hour < ? LIMIT ?) RETURNING 1",
        (before, PIECE_ROWS),
    )
    return len(rows)
