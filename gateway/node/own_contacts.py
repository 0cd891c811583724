"""Contacts and visits that practitioners enter on a page, where no system of their agency's tells of them.

Date and kind, never what was said. Each belongs to the practitioner who entered it; a team and answers show the newest
and the next of them as they show those of a source (team.py).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.database.contract import Statement, Work
from gateway.node.native import NATIVE, new_key, references_to, remove, store
from gateway.node.people import Source
from mappings.model import ContactEvent

# The codes of value set contact-kind (mappings/value_sets/contact_kind.toml), in the order in which pages offer them.
KINDS: Final = (
    "home-visit",
    "office",
    "clinic",
    "school",
    "phone",
    "video",
    "group",
    "meeting",
    "delivery",
    "other",
)
MAX_OWN: Final = 100  # of one practitioner with one client: two a week for a year
MOST_YEARS_BACK: Final = 5
MOST_YEARS_AHEAD: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContact:
    """One contact (`planned`: a visit ahead) as it was entered; `day` is an ISO date."""

    key: str
    kind: str
    day: str
    planned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnContacts:
    """What somebody has entered of one client, newest first, and whether a source tells of their contacts as well."""

    entered: tuple[OwnContact, ...]
    from_source: bool


def own_contacts(person_id: int, practitioner_ids: Collection[int]) -> Work[OwnContacts]:
    """Of these practitioners, all of whom are one, with the person of this row."""
    entered: list[OwnContact] = []
    from_source = False
    for practitioner_id in sorted(practitioner_ids):
        rows = yield Statement(
            "SELECT s.name, e.key, e.kind, e.date, e.planned FROM person asked "
            "JOIN person c ON c.same_person = asked.same_person JOIN contact_event e ON e.person_id = c.id "
            "JOIN import_source s ON s.id = e.source_id WHERE asked.id = ? AND e.practitioner_id = ? "
            "ORDER BY e.date DESC, e.id DESC LIMIT ?",
            (person_id, practitioner_id, 10 * MAX_OWN),
        )
        for source, key, kind, day, planned in rows:
            if source == NATIVE:
                entered.append(OwnContact(key=key, kind=kind, day=day, planned=bool(planned)))
            else:
                from_source = True
    entered.sort(key=lambda each: each.day, reverse=True)
    return OwnContacts(entered=tuple(entered), from_source=from_source)


def save_contact(
    source: Source, person_id: int, practitioner_ids: Collection[int], contact: OwnContact, *, today: date
) -> Work[None]:
    """Enter a contact, or replace that of the same key; it stands at the row with which they work."""
    worker = yield from _worker(person_id, practitioner_ids, today.isoformat())
    people = yield from references_to("person", [person_id])
    workers = yield from references_to("practitioner", [worker])
    event = ContactEvent(
        key=contact.key or new_key(),
        person_key=people[person_id],
        practitioner_key=workers[worker],
        kind=contact.kind,
        date=contact.day,
        planned=contact.planned,
    )
    yield from store(source, event)


def remove_contact(source: Source, key: str) -> Work[None]:
    """Take back what was entered."""
    yield from remove(source, "contact_event", [key])


def _worker(person_id: int, practitioner_ids: Collection[int], today: str) -> Work[int]:
    """The row of theirs that works with the person: a team shows a practitioner's contacts beside their work."""
    for practitioner_id in sorted(practitioner_ids):
        found = yield Statement(
            "SELECT 1 FROM person asked JOIN person c ON c.same_person = asked.same_person "
            "JOIN involvement i ON i.person_id = c.id WHERE asked.id = ? AND i.practitioner_id = ? "
            "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date))) LIMIT 1",
            (person_id, practitioner_id, today),
        )
        if found:
            return practitioner_id
    return min(practitioner_ids)
