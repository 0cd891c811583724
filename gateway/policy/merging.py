"""Says the same in fewer lines: rows that differ in one dimension alone become one. Pure."""

from collections.abc import Iterable
from typing import Any, TypeVar

Row = TypeVar("Row", bound=tuple[frozenset[Any], ...])


def merged(rows: Iterable[Row]) -> list[Row]:
    """Rows are named tuples of sets, and stand for every combination of their values; so do those returned."""
    found = list(rows)
    before = 0
    while before != len(found):
        before = len(found)
        for dimension in range(len(found[0]) if found else 0):
            found = _merged_along(found, dimension)
    return found


def _merged_along(rows: Iterable[Row], dimension: int) -> list[Row]:
    found: dict[tuple[object, ...], Row] = {}
    for row in rows:
        others = (*row[:dimension], *row[dimension + 1 :])
        same = found.get(others)
        values: list[frozenset[Any]] = list(row)
        if same is not None:
            values[dimension] |= same[dimension]
        found[others] = type(row)(*values)
    return list(found.values())
