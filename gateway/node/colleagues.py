"""This agency's own practitioners, by name, and who stands in for whom."""

from typing import Any, Final

import orjson

from gateway.database.contract import Statement, Work

MAX_COLLEAGUES: Final = 1000  # more than one list can be searched by eye


def colleagues() -> Work[dict[int, str]]:
    """Names with roles by row id, in the order of family names; protected names are left out."""
    rows = yield Statement("SELECT id, name, role FROM practitioner ORDER BY id LIMIT ?", (MAX_COLLEAGUES,))
    found = [(row_id, orjson.loads(name), role) for row_id, name, role in rows]
    found.sort(key=lambda each: (each[1]["family"].casefold(), each[1]["given"]))
    return {row_id: _said(name, role) for row_id, name, role in found if not name["protected"]}


def cover_of(practitioner_id: int) -> Work[int | None]:
    """The row of who stands in for somebody; None if nobody does."""
    rows = yield Statement("SELECT cover_id FROM practitioner WHERE id = ?", (practitioner_id,))
    return rows[0][0] if rows else None


def _said(name: dict[str, Any], role: str) -> str:
    who = " ".join(part for part in (*name["given"], name["family"]) if part)
    return f"{who}, {role}" if role else who
