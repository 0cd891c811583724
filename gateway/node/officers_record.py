"""A client as an officer may see them who answers a request: any row of this register, those removed among them.

An officer works with nobody here, so this is no door for other pages: that is `local_view.py` (docs/policy.md, "An
agency's own staff"). Whoever shows something of it puts the look on record first.
"""

from dataclasses import dataclass

import orjson

from gateway.database.contract import Statement, Work
from gateway.node.known_as import KnownAs, known_as
from gateway.node.names import stored_name
from mappings.model import HumanName


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficersRecord:
    """One row of a person: where it comes from, and by what the officer knows whether it is who is asking."""

    source: str
    key: str
    names: tuple[HumanName, ...]
    birth_date: str | None
    there: bool


def known_by_row(row_id: int) -> Work[KnownAs | None]:
    """All ids of the person who has this row; None if there never was one."""
    rows = yield Statement(
        "SELECT s.name, p.key FROM person p JOIN import_source s ON s.id = p.source_id WHERE p.id = ?", (row_id,)
    )
    if not rows:
        return None
    return (yield from known_as(*rows[0]))


def records_of(person: KnownAs) -> Work[list[OfficersRecord]]:
    """Each of the person's rows, the one that was named first. Protected names are not among them."""
    found = []
    for row_id in sorted(person.person_ids, key=lambda each: (each != person.row_id, each)):
        ((source, key, names, birth_date, there),) = yield Statement(
            "SELECT s.name, p.key, p.names, p.birth_date, p.hash IS NOT NULL FROM person p "
            "JOIN import_source s ON s.id = p.source_id WHERE p.id = ?",
            (row_id,),
        )
        shown = [each for each in orjson.loads(names) if not each["protected"]]
        found.append(
            OfficersRecord(
                source=source,
                key=key,
                names=tuple(stored_name(each) for each in shown),
                birth_date=birth_date,
                there=bool(there),
            )
        )
    return found
