"""Tables for spreadsheets: with a byte order mark, and nothing in them that a spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet would obey what begins so


def csv_text(rows: Iterable[Sequence[str | int | None]]) -> bytes:
    """Rows as UTF-8 CSV, the first with the columns' names; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([[_inert(value) for value in row] for row in rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _inert(value: str | int | None) -> str | int | None:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
