"""Turns members' answers into one table for people: who is involved, and how to reach them.

The agency's name is the federation document's, never the Bundle's; all else is text that gateway/fhir/reader.py has
bounded and cleaned. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.fhir.reader import Contact, Cover, Participant, read_bundle
from gateway.wire.federation import Member
from mappings.model import ContactPoint
from mappings.vocabulary import MatchGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """One involvement as a person reads it. `professional` is "" where only a duty contact was disclosed.

    `organisation` is the part of the agency, "" where it is the agency itself; `contact_points` are preferred first;
    all dates are ISO dates, possibly partial. `away_until` is the last day of an absence, and `cover` stands in until
    then; `last_confirmed` is when the agency last knew the involvement to be so.
    """

    member: str
    agency: str
    organisation: str
    professional: str
    role: str
    service: str
    contact_points: tuple[ContactPoint, ...]
    working_pattern: str
    away_until: str | None
    cover: Cover | None
    since: str | None
    until: str | None
    last_confirmed: str | None
    lead: bool
    last_contact: Contact | None
    next_visit: Contact | None
    grade: MatchGrade


def rows_of(member: Member, bundle: bytes) -> tuple[TeamRow, ...]:
    """One member's disclosed team, leads first; raises MalformedMessage if `bundle` is no searchset Bundle."""
    rows = dict.fromkeys(_row(member, participant) for participant in read_bundle(bundle))
    return tuple(sorted(rows, key=lambda row: (not row.lead, not row.professional)))


def merge(teams: Iterable[tuple[TeamRow, ...]]) -> tuple[TeamRow, ...]:
    """All members' rows as one table, agency by agency in the order of their names, each agency's rows as they were."""
    return tuple(sorted((row for team in teams for row in team), key=lambda row: (row.agency.casefold(), row.member)))


def _row(member: Member, participant: Participant) -> TeamRow:
    return TeamRow(
        member=member.id,
        agency=member.name,
        organisation="" if participant.organisation == member.name else participant.organisation,
        professional=participant.professional,
        role=participant.role,
        service=participant.service,
        contact_points=participant.contact_points,
        working_pattern=participant.working_pattern,
        away_until=participant.away_until,
        cover=participant.cover,
        since=participant.since,
        until=participant.until,
        last_confirmed=participant.last_confirmed,
        lead=participant.lead,
        last_contact=participant.last_contact,
        next_visit=participant.next_visit,
        grade=participant.grade,
    )
