"""Which months and years are over: never one that is running, never one that the limits still cover."""

from datetime import date

import pytest

from consent_ledger.retention import periods_over

PERIODS = ("2019", "2019-12", "2025", "2025-01", "2025-10", "2025-11", "2025-12", "2026", "2026-11", "2026-12")


@pytest.mark.parametrize(
    ("today", "months", "years", "over"),
    [
        (date(2026, 12, 31), 0, 0, ()),
        (date(2026, 12, 31), 12, 0, ("2019-12", "2025-01", "2025-10", "2025-11")),
        (date(2026, 12, 1), 1, 0, ("2019-12", "2025-01", "2025-10", "2025-11", "2025-12")),
        (date(2026, 1, 31), 1, 0, ("2019-12", "2025-01", "2025-10", "2025-11")),
        (date(2026, 12, 31), 0, 1, ("2019",)),
        (date(2026, 12, 31), 72, 6, ("2019", "2019-12")),
        (date(2026, 12, 31), 1200, 100, ()),
    ],
)
def test_periods_that_are_over(today: date, months: int, years: int, over: tuple[str, ...]) -> None:
    assert periods_over(PERIODS, today=today, months=months, years=years) == over
