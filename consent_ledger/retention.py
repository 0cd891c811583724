"""Which secrets of months and years have had their time, and replay rows that have: docs/ledger.md, "How long things
are kept". No entry is removed: without its secret it cannot be read.
"""

from collections.abc import Iterable
from datetime import date

from consent_ledger.storage import Work

_YEAR = len("2026")
_MONTHS = 12


def periods_over(periods: Iterable[str], *, today: date, months: int, years: int) -> tuple[str, ...]:
    """Those of `periods` (months such as 2026-11, years of governance such as 2026) that ended so long ago.

    0 months or years means never. The running period and the `months` or `years` before it are kept whole.
    """
    first = today.year * _MONTHS + today.month - 1 - months
    first_month = f"{first // _MONTHS:04}-{first % _MONTHS + 1:02}" if months else ""
    first_year = f"{today.year - years:04}" if years else ""
    return tuple(period for period in periods if period < (first_year if len(period) == _YEAR else first_month))


def purge_replay() -> Work[int]:
    """Drop the ids of questions that have expired for good, by the highest time seen; returns how many."""
    ((high,),) = yield "SELECT clock_high FROM ledger_head WHERE id = 1", ()
    ((count,),) = yield "SELECT count(*) FROM replay WHERE keep_until < ?", (int(high),)
    yield "DELETE FROM replay WHERE keep_until < ?", (int(high),)
    return int(count)
