"""Birth dates as people type them."""

import pytest

from gateway.errors import InputError
from gateway.node.question import read_subject


@pytest.mark.parametrize(
    ("typed", "date"),
    [("17/05/1991", "1991-05-17"), ("7/5/1991", "1991-05-07"), ("1991-05-17", "1991-05-17"), ("1991", "1991")],
)
def test_a_date_is_read_day_first_or_as_iso(typed: str, date: str) -> None:
    assert read_subject("Kate", born=typed).birth_date == date


@pytest.mark.parametrize("typed", ["05/17/1991", "31/02/1991", "1/1/91", "0/1/1991", "17-05-1991"])
def test_a_date_that_does_not_exist_is_refused(typed: str) -> None:
    with pytest.raises(InputError, match="birth date"):
        read_subject("Kate", born=typed)
