"""What practitioners said of their own work on a page, laid over what a source says: no nightly import takes it away.

A word of the source's that is newer in substance wins all the same: work that it says began after somebody left, a
later confirmation, an earlier end, another absence. Known by source and key, so that a row that was removed and comes
back meets what was said. `reapply` belongs to every write of rows (people.py); all else is a page's own transaction.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.database.contract import Row, Statement, Work
from gateway.node.rows import chunks, json_text, select_in
from mappings.model import MAX_FREE_TEXT, MAX_TEXT, ContactPoint

MAX_CONTACT_POINTS = 5  # of one practitioner: as many as an answer shows

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who says it: an account's public id, and when, in seconds since 1970."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to reach somebody, as they say it themselves: contact points, the preferred one first, and when they work.

    Raises ValueError beyond MAX_CONTACT_POINTS, and for text that is longer than a source's may be.
    """

    contact_points: tuple[ContactPoint, ...]
    working_pattern: str

    def __post_init__(self) -> None:
        """Bounds, as mappings keep them."""
        if len(self.contact_points) > MAX_CONTACT_POINTS or len(self.working_pattern) > MAX_FREE_TEXT:
            raise ValueError("too many contact points, or too long a text")
        if any(not 0 < len(point.value) <= MAX_TEXT for point in self.contact_points):
            raise ValueError("a contact point is empty or too long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The last day of an absence that has begun (ISO 8601), and who stands in, if anybody: SOURCE:KEY."""

    until: str
    cover: str | None = None


def confirm(person_id: int, practitioner_ids: Collection[int], *, today: date, said: Said) -> Work[int]:
    """They still work with this person; returns how many current involvements of theirs that concerned."""
    mine = yield from _mine(person_id, practitioner_ids, today.isoformat())
    yield Statement(
        "INSERT INTO involvement_said (source_id, key, last_confirmed, by, at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (source_id, key) DO UPDATE SET "
        "last_confirmed = excluded.last_confirmed, by = excluded.by, at = excluded.at",
        [(*row, today.isoformat(), said.by, said.at) for row in mine],
    )
    yield from _again("involvement", mine)
    return len(mine)


def leave(person_id: int, practitioner_ids: Collection[int], *, today: date, said: Said) -> Work[int]:
    """They no longer work with this person, from `today` on; returns how many involvements of theirs that ended."""
    mine = yield from _mine(person_id, practitioner_ids, today.isoformat())
    yield Statement(
        "INSERT INTO involvement_said (source_id, key, left_on, by, at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (source_id, key) DO UPDATE SET left_on = excluded.left_on, by = excluded.by, at = excluded.at",
        [(*row, today.isoformat(), said.by, said.at) for row in mine],
    )
    yield from _again("involvement", mine)
    return len(mine)


def say_reach(practitioner_ids: Collection[int], reach: Reach, *, said: Said) -> Work[None]:
    """How to reach them from now on, whatever sources say, in all rows that are this practitioner."""
    mine = yield from _practitioners(practitioner_ids)
    yield Statement(
        "INSERT INTO practitioner_said (source_id, key, contact_points, working_pattern, by, at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source_id, key) DO UPDATE SET "
        "contact_points = excluded.contact_points, working_pattern = excluded.working_pattern, "
        "by = excluded.by, at = excluded.at",
        [(*row, json_text(reach.contact_points), reach.working_pattern, said.by, said.at) for row in mine],
    )
    yield from _again("practitioner", mine)


def say_away(practitioner_ids: Collection[int], absence: Absence | None, *, said: Said) -> Work[None]:
    """Until when they are away and who stands in, or None: they are here. A newer word of a source replaces it."""
    mine = yield from _practitioners(practitioner_ids)
    until, cover = (None, None) if absence is None else (absence.until, absence.cover)
    for row in mine:
        # What the source said is in the row, unless something said here has been laid over it.
        yield Statement(
            "INSERT INTO practitioner_said (source_id, key, by, at, away_said, away_until, cover_key, source_away) "
            "SELECT source_id, key, ?, ?, 1, ?, ?, away_until FROM practitioner WHERE source_id = ? AND key = ? "
            "ON CONFLICT (source_id, key) DO UPDATE SET away_said = 1, away_until = excluded.away_until, "
            "cover_key = excluded.cover_key, by = excluded.by, at = excluded.at, source_away = CASE WHEN "
            "practitioner_said.away_said = 1 THEN practitioner_said.source_away ELSE excluded.source_away END",
            (said.by, said.at, until, cover, *row),
        )
    yield from _again("practitioner", mine)


def reapply(kind: str, source_id: int, keys: Sequence[str]) -> Work[None]:
    """Lay what was said over rows of this kind that have just been written with what their source says."""
    if kind == "practitioner":
        yield from _drop_absences(source_id, keys)
    yield from _lay(kind, source_id, keys)


def relink_covers() -> Work[None]:
    """Say again who stands in, where their row was removed and has come back."""
    rows = yield Statement(
        "SELECT d.source_id, d.key FROM practitioner_said d JOIN practitioner p ON p.source_id = d.source_id "
        "AND p.key = d.key WHERE d.away_said = 1 AND d.cover_key IS NOT NULL AND p.cover_id IS NULL"
    )
    yield from _again("practitioner", rows)


def _again(kind: str, rows: Sequence[Row]) -> Work[None]:
    """Lay what was said over rows, known by source id and key, that need not have been written."""
    for source_id, key in rows:
        yield from _lay(kind, source_id, [key])


def _lay(kind: str, source_id: int, keys: Sequence[str]) -> Work[None]:
    overlay = _OVERLAYS.get(kind)
    if overlay is None:
        return
    for part in chunks(keys):
        for row in (yield Statement(select_in(overlay.columns, "source_id = ? AND key"), (source_id, *part))):
            yield from overlay.over(source_id, row)


def _drop_absences(source_id: int, keys: Sequence[str]) -> Work[None]:
    """Forget what was said of being away where the source now says something else than it did then."""
    for part in chunks(keys):
        rows = yield Statement(
            select_in(
                "d.key, d.source_away, p.away_until FROM practitioner_said d "
                "JOIN practitioner p ON p.source_id = d.source_id AND p.key = d.key",
                "d.away_said = 1 AND d.source_id = ? AND d.key",
            ),
            (source_id, *part),
        )
        yield Statement(
            "UPDATE practitioner_said SET away_said = 0, away_until = NULL, cover_key = NULL, source_away = NULL "
            "WHERE source_id = ? AND key = ?",
            [(source_id, key) for key, then, now in rows if then != now],
        )


def _over_involvement(source_id: int, row: Row) -> Work[None]:
    key, last_confirmed, left_on = row
    if last_confirmed is not None:
        yield Statement(
            "UPDATE involvement SET last_confirmed = ? WHERE source_id = ? AND key = ? "
            "AND (last_confirmed IS NULL OR last_confirmed < ?)",
            (last_confirmed, source_id, key, last_confirmed),
        )
    if left_on is not None:
        # An end is the last day of the work. Dates may be partial, and are compared as far as they go.
        last_day = (date.fromisoformat(left_on) - _ONE_DAY).isoformat()
        yield Statement(
            "UPDATE involvement SET end_date = ? WHERE source_id = ? AND key = ? "
            "AND (end_date IS NULL OR end_date >= substr(?, 1, length(end_date))) "
            "AND (start_date IS NULL OR start_date <= substr(?, 1, length(start_date)))",
            (last_day, source_id, key, last_day, left_on),
        )


def _over_practitioner(source_id: int, row: Row) -> Work[None]:
    key, contact_points, working_pattern, away_said, away_until, cover_key = row
    if contact_points is not None:
        yield Statement(
            "UPDATE practitioner SET contact_points = ?, working_pattern = ? WHERE source_id = ? AND key = ?",
            (contact_points, working_pattern, source_id, key),
        )
    if away_said:
        source, _, cover = (cover_key or "").partition(":")
        found = yield Statement(
            "SELECT p.id FROM practitioner p JOIN import_source s ON s.id = p.source_id WHERE s.name = ? AND p.key = ?",
            (source, cover),
        )
        # The row's own cover_key is of its own source, and would be reported as leading nowhere.
        yield Statement(
            "UPDATE practitioner SET away_until = ?, cover_key = NULL, cover_id = ? WHERE source_id = ? AND key = ?",
            (away_until, found[0][0] if found else None, source_id, key),
        )


@dataclass(frozen=True, slots=True)
class _Overlay:
    """What is read of a table of things said, from the key on, and how such a row is laid over what is stored."""

    columns: str
    over: Callable[[int, Row], Work[None]]


_OVERLAYS = {
    "involvement": _Overlay("key, last_confirmed, left_on FROM involvement_said", _over_involvement),
    "practitioner": _Overlay(
        "key, contact_points, working_pattern, away_said, away_until, cover_key FROM practitioner_said",
        _over_practitioner,
    ),
}


def _mine(person_id: int, practitioner_ids: Collection[int], today: str) -> Work[list[Row]]:
    """Source id and key of the current involvements with a person that name one of these practitioners."""
    found: list[Row] = []
    for practitioner_id in practitioner_ids:
        found += yield Statement(
            "SELECT i.source_id, i.key FROM person asked JOIN person c ON c.same_person = asked.same_person "
            "JOIN involvement i ON i.person_id = c.id WHERE asked.id = ? AND i.practitioner_id = ? "
            "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date)))",
            (person_id, practitioner_id, today),
        )
    return found


def _practitioners(practitioner_ids: Collection[int]) -> Work[list[Row]]:
    found: list[Row] = []
    for practitioner_id in practitioner_ids:
        found += yield Statement("SELECT source_id, key FROM practitioner WHERE id = ?", (practitioner_id,))
    return found
