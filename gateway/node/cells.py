"""Cells of a table that leave for a spreadsheet program, and come back from one. Pure."""

from typing import Final
from unicodedata import category, normalize

FORMULA: Final = ("=", "+", "-", "@")  # a spreadsheet program would obey what begins so, in any width
_ASKEW: Final = ("\t", "\r", "\n")  # what begins so may begin another cell
_UNSEEN: Final = ("Z", "C")  # Unicode's general categories of blanks, and of characters that nobody sees


def inert(cell: str) -> str:
    """A cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if _is_formula(cell) else cell


def as_typed(cell: str) -> str:
    """What `inert` was given, where it changed anything."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(cell: str) -> bool:
    """By its first visible character: programs skip blanks when they import, some more kinds of them than others."""
    first = next((each for each in cell if category(each)[0] not in _UNSEEN), "")
    return cell.startswith(_ASKEW) or normalize("NFKC", first).startswith(FORMULA)
