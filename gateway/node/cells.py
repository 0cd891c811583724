"""Cells of a table that leave for a spreadsheet program, and come back from one. Pure."""

from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet program would obey what begins so


def inert(cell: str) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def as_typed(cell: str) -> str:
    """What `inert` was given, where it changed anything."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
