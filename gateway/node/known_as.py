"""All ids under which the ledger may know one person, from one of their records, even if its source removed it."""

from dataclasses import dataclass

from gateway.database.contract import Statement, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAs:
    """`person_id` is what matching knows the person by; `person_ids` all their rows, those removed among them.

    `row_id` is the row of the very record that was named: what is said of this person goes on record under it, and
    stays with that record should an officer part it from the others.
    `searchable`: at least one row is still there, and no row keeps all of the person from being disclosed.
    """

    row_id: int
    person_id: int
    person_ids: tuple[int, ...]
    searchable: bool


def known_as(source: str, key: str) -> Work[KnownAs | None]:
    """The person whom `source` knows, or once knew, by this key; None if there never was one."""
    found = yield Statement(
        "SELECT p.same_person, p.id FROM person p JOIN import_source s ON s.id = p.source_id"
        " WHERE s.name = ? AND p.key = ?",
        (source, key),
    )
    if not found:
        return None
    rows = yield Statement(
        "SELECT id, hash IS NOT NULL, restricted FROM person WHERE same_person = ? ORDER BY id", (found[0][0],)
    )
    return KnownAs(
        row_id=found[0][1],
        person_id=found[0][0],
        person_ids=tuple(row_id for row_id, _, _ in rows),
        searchable=any(there for _, there, _ in rows) and not any(restricted for _, _, restricted in rows),
    )
