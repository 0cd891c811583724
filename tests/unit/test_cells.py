"""Cells for spreadsheet programs: none of them is a formula, and what comes back is what was given."""

import pytest

from gateway.node.cells import FORMULA, as_typed, inert
from gateway.reports.csv_text import csv_text

BLANKS = (" ", "  ", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "\N{ZERO WIDTH NO-BREAK SPACE}", "\x00", "\x1f")
WIDE = ("＝", "＋", "－", "＠", "﹦")  # noqa: RUF001 - they are the point


@pytest.mark.parametrize(
    "cell",
    [
        *(f"{sign}cmd()" for sign in (*FORMULA, *WIDE)),
        *(f"{before}cmd()" for before in "\t\r\n"),
        *(f"{blank}=cmd()" for blank in BLANKS),
        f"{BLANKS[3]} {WIDE[0]}cmd()",
    ],
)
def test_no_cell_is_a_formula_and_it_comes_back_as_it_was_typed(cell: str) -> None:
    assert inert(cell) == f"'{cell}"
    assert as_typed(inert(cell)) == cell
    assert csv_text([[cell]]).removeprefix(b"\xef\xbb\xbf").removeprefix(b'"').startswith(b"'")


@pytest.mark.parametrize("cell", ["", " ", "Ann", " Ann", "'tis", "O'Neill = two", "07700 900301", "Ｏ"])  # noqa: RUF001
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert inert(cell) == as_typed(cell) == cell
