"""The team around one person, read in one go: everything that policy and disclosure need to know of it.

`person_id` is what matching names a person by; several rows of several sources may share it (same_person.py).
Involvements that have ended, or whose practitioner and service are not there, are not read: nothing can disclose them.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import orjson

from gateway.database.contract import Row, Statement, Work
from gateway.node.names import stored_name
from gateway.node.rows import chunks, select_in
from mappings.model import (
    ContactEvent,
    ContactPoint,
    Identifier,
    Involvement,
    Organisation,
    Practitioner,
    Service,
)
from mappings.vocabulary import Mode, OrganisationType, Sensitivity

MAX_INVOLVEMENTS = 200  # of one person: ten times what an answer of 8 KiB can carry
MAX_EVENTS = 500  # contacts and visits of one person that are read: disclosure looks for the last and the next
DECODED_ROWS = 1024  # practitioners, services, organisations kept decoded: they recur from person to person


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """One involvement with everything it refers to; at least one of `practitioner` and `service` is there.

    `organisation` is the service's, else the practitioner's; None means the agency of this node itself.
    `contact_events` are this practitioner's contacts and visits with the person, latest first. `cover` stands in for
    the practitioner, and is there only while they are away.
    The ids are those of this node's rows; the keys inside the values are the source's and never leave the node.
    """

    involvement_id: int
    involvement: Involvement
    practitioner_id: int | None = None
    practitioner: Practitioner | None = None
    service_id: int | None = None
    service: Service | None = None
    organisation_id: int | None = None
    organisation: Organisation | None = None
    contact_events: tuple[ContactEvent, ...] = ()
    cover: Practitioner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who works with a person: leads first, then the newest involvements.

    `person_ids` are all ids under which the ledger may know this person: consents and withdrawals of each count.
    `restricted` is a bar on the whole person, from any of their rows.
    """

    person_id: int
    person_ids: tuple[int, ...]
    restricted: bool
    involvements: tuple[TeamMember, ...]


def team_of(person_id: int, *, today: str) -> Work[Team]:
    """Read a person's team as of `today` (ISO 8601 date); without involvements if nobody has this id."""
    people = yield Statement("SELECT id, restricted FROM person WHERE same_person = ? ORDER BY id", (person_id,))
    rows = yield Statement(
        "SELECT i.id, i.key, i.person_key, i.practitioner_key, i.service_key, i.role, i.start_date, i.end_date, "
        "i.lead, i.sensitivity, i.max_mode, i.last_confirmed, "
        "p.id, p.key, p.name, p.role, p.contact_points, p.working_pattern, p.organisation_key, "
        "p.away_until, p.cover_key, "
        "s.id, s.key, s.name, s.code, s.organisation_key, s.duty_contact, s.description, "
        "o.id, o.key, o.name, o.type, o.identifiers, o.duty_contact, "
        "CASE WHEN p.away_until >= substr(?, 1, length(p.away_until)) THEN p.cover_id END "
        "FROM person c JOIN involvement i ON i.person_id = c.id "
        "LEFT JOIN practitioner p ON p.id = i.practitioner_id LEFT JOIN service s ON s.id = i.service_id "
        "LEFT JOIN organisation o ON o.id = COALESCE(s.organisation_id, p.organisation_id) "
        "WHERE c.same_person = ? AND (p.id IS NOT NULL OR s.id IS NOT NULL) "
        "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date))) "
        "ORDER BY i.lead DESC, i.start_date DESC, i.id LIMIT ?",
        (today, person_id, today, MAX_INVOLVEMENTS),
    )
    events: dict[int, tuple[ContactEvent, ...]] = {}
    covers: dict[int, Practitioner] = {}
    if rows:
        events = yield from _events(person_id)
        covers = yield from _covers({row[-1] for row in rows if row[-1] is not None})
    return Team(
        person_id=person_id,
        person_ids=tuple(row_id for row_id, _ in people) or (person_id,),
        restricted=any(restricted for _, restricted in people),
        involvements=tuple(_member(row, events, covers) for row in rows),
    )


def practitioner_alone(practitioner_id: int, *, today: str) -> Work[TeamMember | None]:
    """One practitioner as a team would have them, in an involvement with nobody; None if there is no such row."""
    rows = yield Statement(
        "SELECT p.id, p.key, p.name, p.role, p.contact_points, p.working_pattern, p.organisation_key, "
        "p.away_until, p.cover_key, o.id, o.key, o.name, o.type, o.identifiers, o.duty_contact, "
        "CASE WHEN p.away_until >= substr(?, 1, length(p.away_until)) THEN p.cover_id END "
        "FROM practitioner p LEFT JOIN organisation o ON o.id = p.organisation_id WHERE p.id = ?",
        (today, practitioner_id),
    )
    if not rows:
        return None
    practitioner, organisation, cover = rows[0][:9], rows[0][9:15], rows[0][15]
    covers = yield from _covers(set() if cover is None else {cover})
    return TeamMember(
        involvement_id=0,
        involvement=Involvement(key="", person_key=""),
        practitioner_id=practitioner_id,
        practitioner=_practitioner(practitioner),
        organisation_id=organisation[0],
        organisation=_organisation(organisation) if organisation[0] is not None else None,
        cover=covers.get(cover),
    )


def cover_of(practitioner_id: int) -> Work[int | None]:
    """The row of who stands in for somebody, away or not; None if nobody does."""
    rows = yield Statement("SELECT cover_id FROM practitioner WHERE id = ?", (practitioner_id,))
    return rows[0][0] if rows else None


def service_alone(service_id: int) -> Work[TeamMember | None]:
    """One service as a team would have it, in an involvement with nobody; None if there is no such row."""
    rows = yield Statement(
        "SELECT s.id, s.key, s.name, s.code, s.organisation_key, s.duty_contact, s.description, "
        "o.id, o.key, o.name, o.type, o.identifiers, o.duty_contact "
        "FROM service s LEFT JOIN organisation o ON o.id = s.organisation_id WHERE s.id = ?",
        (service_id,),
    )
    if not rows:
        return None
    service, organisation = rows[0][:7], rows[0][7:]
    return TeamMember(
        involvement_id=0,
        involvement=Involvement(key="", person_key=""),
        service_id=service_id,
        service=_service(service),
        organisation_id=organisation[0],
        organisation=_organisation(organisation) if organisation[0] is not None else None,
    )


def _events(person_id: int) -> Work[dict[int, tuple[ContactEvent, ...]]]:
    """Each practitioner's contacts and visits, latest first. Partial dates are too vague to tell which came last."""
    rows = yield Statement(
        "SELECT e.practitioner_id, e.key, e.person_key, e.practitioner_key, e.kind, e.date, e.planned "
        "FROM person c JOIN contact_event e ON e.person_id = c.id "
        "WHERE c.same_person = ? AND e.practitioner_id IS NOT NULL AND length(e.date) = 10 "
        "ORDER BY e.date DESC LIMIT ?",
        (person_id, MAX_EVENTS),
    )
    events: dict[int, list[ContactEvent]] = defaultdict(list)
    for practitioner_id, key, person_key, practitioner_key, kind, date, planned in rows:
        event = ContactEvent(
            key=key,
            person_key=person_key,
            practitioner_key=practitioner_key,
            kind=kind,
            date=date,
            planned=bool(planned),
        )
        events[practitioner_id].append(event)
    return {practitioner_id: tuple(found) for practitioner_id, found in events.items()}


def _covers(ids: set[int]) -> Work[dict[int, Practitioner]]:
    """Those who stand in for somebody, by id. Nobody is away as a rule, and then this asks nothing."""
    covers: dict[int, Practitioner] = {}
    for part in chunks(sorted(ids)):
        rows = yield Statement(
            select_in(
                "id, key, name, role, contact_points, working_pattern, organisation_key, away_until, cover_key"
                " FROM practitioner",
                "id",
            ),
            part,
        )
        covers.update((row[0], _practitioner(row)) for row in rows)
    return covers


def _member(row: Row, events: dict[int, tuple[ContactEvent, ...]], covers: dict[int, Practitioner]) -> TeamMember:
    involvement, practitioner, service, organisation = row[:12], row[12:21], row[21:28], row[28:34]
    return TeamMember(
        involvement_id=involvement[0],
        involvement=_involvement(involvement),
        practitioner_id=practitioner[0],
        practitioner=_practitioner(practitioner) if practitioner[0] is not None else None,
        service_id=service[0],
        service=_service(service) if service[0] is not None else None,
        organisation_id=organisation[0],
        organisation=_organisation(organisation) if organisation[0] is not None else None,
        contact_events=events.get(practitioner[0], ()),
        cover=covers.get(row[-1]),
    )


def _involvement(row: Row) -> Involvement:
    _, key, person, practitioner, service, role, start, end, lead, sensitivity, max_mode, last_confirmed = row
    return Involvement(
        key=key,
        person_key=person,
        practitioner_key=practitioner,
        service_key=service,
        role=role,
        start=start,
        end=end,
        lead=bool(lead),
        sensitivity=Sensitivity(sensitivity),
        max_mode=Mode(max_mode),
        last_confirmed=last_confirmed,
    )


@lru_cache(DECODED_ROWS)
def _practitioner(row: Row) -> Practitioner:
    _, key, name, role, contact_points, working_pattern, organisation_key, away_until, cover_key = row
    return Practitioner(
        key=key,
        name=stored_name(orjson.loads(name)),
        role=role,
        contact_points=_contact_points(contact_points),
        working_pattern=working_pattern,
        organisation_key=organisation_key,
        away_until=away_until,
        cover_key=cover_key,
    )


@lru_cache(DECODED_ROWS)
def _service(row: Row) -> Service:
    _, key, name, code, organisation_key, duty_contact, description = row
    return Service(
        key=key,
        name=name,
        code=code,
        organisation_key=organisation_key,
        duty_contact=_contact_points(duty_contact),
        description=description,
    )


@lru_cache(DECODED_ROWS)
def _organisation(row: Row) -> Organisation:
    _, key, name, kind, identifiers, duty_contact = row
    return Organisation(
        key=key,
        name=name,
        type=OrganisationType(kind) if kind else None,
        identifiers=tuple(Identifier(**stored) for stored in orjson.loads(identifiers)),
        duty_contact=_contact_points(duty_contact),
    )


def _contact_points(text: str) -> tuple[ContactPoint, ...]:
    return tuple(ContactPoint(**stored) for stored in orjson.loads(text))
