"""Lists of headings and texts, side by side on a terminal of any width."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from gateway.fhir.text import plain

_HEADING = 25  # columns


def labelled(fields: Iterable[tuple[str, str]]) -> Table:
    """One line for each heading, its text beside it; what a terminal would obey is taken out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=_HEADING, style="dim")
    grid.add_column(overflow="fold", ratio=1)
    for heading, text in fields:
        grid.add_row(Text(heading), Text(plain(text)))
    return grid
