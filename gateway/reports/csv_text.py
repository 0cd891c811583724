"""Tables for spreadsheets: with a byte order mark, and nothing in them that a spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from gateway.node.cells import inert


def csv_text(rows: Iterable[Sequence[str | int | None]]) -> bytes:
    """Rows as UTF-8 CSV, the first with the columns' names; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([[inert(value) if isinstance(value, str) else value for value in row] for row in rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode()
