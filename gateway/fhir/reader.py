"""Reads the Bundle of another member: authentic, but possibly hostile.

(1) bounded JSON; (2) entries by fullUrl, the first of each; (3) the match grade; (4) days of contacts by practitioner;
(5) the participants of each CareTeam, each reference followed one step at a time. Whatever is not of the expected form
is as if it were not there, so that unknown resources, dangling references and circles do nothing; the work is bounded
by the MAX_ values. All text is cleaned by text.py: it may be printed to a terminal.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.errors import MalformedMessage
from gateway.fhir.codes import (
    CONTACT_POINT_SYSTEMS,
    COVER_EXTENSION,
    LAST_CONFIRMED_EXTENSION,
    LEAD_CODE,
    MATCH_GRADE_EXTENSION,
    PARTICIPATION_TYPE,
    WORKING_PATTERN_EXTENSION,
)
from gateway.fhir.text import bounded
from mappings.model import MAX_TEXT, ContactPoint
from mappings.vocabulary import MatchGrade

MAX_BUNDLE_BYTES: Final = 256 * 1024  # what an answer may inflate to, docs/wire.md
MAX_ENTRIES: Final = 2000
MAX_PARTICIPANTS: Final = 200  # of all teams together
MAX_ITEMS: Final = 20  # of any smaller list
MAX_CONTACT_VALUE: Final = 254  # the longest email address, RFC 5321

_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?(?=T|\Z)", re.ASCII)
# Addresses that other agencies keep, in any script; nothing that a link or a page could take as a command.
_EMAIL = re.compile(r"[^\s<>\"'@,;:()\[\]\\]+@[^\s<>\"'@,;:()\[\]\\]+")
# Numbers as people keep them, "01632 960123 ext 4 (duty desk)"; nothing that a link or a page could take as a command.
_PHONE = re.compile(r"(?=(?:\D*\d){3})[\w ()/.#*,+'-]+")

# Tuples, as hostile codes may be unhashable.
_GRADES = tuple(grade.value for grade in MatchGrade)
_MEMBERS = ("PractitionerRole", "Practitioner", "Organization")
_NOT_AHEAD = ("cancelled", "noshow", "entered-in-error")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The day (possibly partial) and kind of a contact."""

    date: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Who stands in for somebody who is away."""

    professional: str
    role: str
    contact_points: tuple[ContactPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One participant of a CareTeam in plain, bounded text, "" for what was not said: `professional` of a duty desk.

    `working_pattern` is text as its agency writes it. `away_until` is the last day of an absence, None if there is
    none; `last_confirmed` is when the involvement was last known to be so.
    """

    professional: str
    role: str
    service: str
    organisation: str
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


def read_bundle(data: bytes) -> tuple[Participant, ...]:
    """The participants of all CareTeams, in order; raises MalformedMessage if this is no searchset Bundle at all."""
    if len(data) > MAX_BUNDLE_BYTES:
        raise MalformedMessage("bundle is too large")
    try:
        bundle = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise MalformedMessage("bundle is not JSON") from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset":
        raise MalformedMessage("not a searchset Bundle")
    entries = bundle.get("entry")
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise MalformedMessage("bundle has no entries, or too many")
    return _Reader(entries).participants()


class _Reader:
    """The resources of one Bundle by fullUrl."""

    def __init__(self, entries: list[Any]) -> None:
        self._resources: dict[str, Json] = {}
        self._grades: dict[str, MatchGrade] = {}
        for entry in _objects(entries, MAX_ENTRIES):
            full_url, resource = entry.get("fullUrl"), entry.get("resource")
            if isinstance(full_url, str) and isinstance(resource, dict) and full_url not in self._resources:
                self._resources[full_url] = resource
                self._grades[full_url] = _grade(entry)
        self._last: dict[str, Contact] = {}
        self._next: dict[str, Contact] = {}
        for resource in self._of_type("Encounter"):
            self._note_encounter(resource)
        for resource in self._of_type("Appointment"):
            self._note_appointment(resource)

    def participants(self) -> tuple[Participant, ...]:
        read: list[Participant] = []
        for team in self._of_type("CareTeam"):
            managing = next(_objects(team.get("managingOrganization")), {})
            grade = self._grades.get(_reference(team.get("subject")), MatchGrade.POSSIBLE)
            for participant in _objects(team.get("participant"), MAX_PARTICIPANTS):
                if len(read) == MAX_PARTICIPANTS:
                    return tuple(read)
                member = self._resolve(participant.get("member"))
                if member is not None and member.get("resourceType") in _MEMBERS:
                    read.append(self._participant(participant, member, managing, grade))
        return tuple(read)

    def _participant(self, participant: Json, member: Json, managing: Json, grade: MatchGrade) -> Participant:
        role, practitioner, practitioner_url, service, organisation = self._parties(participant, member)
        if organisation is None:
            organisation = self._resolve(managing, "Organization") or {}
        period = _object(participant.get("period"))
        roles = tuple(_objects(participant.get("role")))
        telecom = [*_objects(role.get("telecom")), *_objects(practitioner.get("telecom"))]
        if not telecom and not practitioner:
            duty = (_objects(contact.get("telecom")) for contact in _objects(organisation.get("contact")))
            telecom = [*_objects(service.get("telecom"))] or [point for points in duty for point in points]
        away_until, cover = self._absence(role)
        return Participant(
            professional=_human_name(practitioner),
            role=_first_text(each for each in roles if not _is_lead(each)) or _first_text(_objects(role.get("code"))),
            service=bounded(service.get("name"), MAX_TEXT) or _first_text(_objects(service.get("type"))),
            organisation=bounded(organisation.get("name"), MAX_TEXT),
            contact_points=_contact_points(telecom),
            working_pattern=bounded(_extension(role, WORKING_PATTERN_EXTENSION).get("valueString"), MAX_TEXT),
            away_until=away_until,
            cover=cover,
            since=_date(period.get("start")),
            until=_date(period.get("end")),
            last_confirmed=_date(_extension(participant, LAST_CONFIRMED_EXTENSION).get("valueDate")),
            lead=any(_is_lead(each) for each in roles),
            last_contact=self._last.get(practitioner_url),
            next_visit=self._next.get(practitioner_url),
            grade=grade,
        )

    def _parties(self, participant: Json, member: Json) -> tuple[Json, Json, str, Json, Json | None]:
        """The PractitionerRole, Practitioner and its fullUrl, HealthcareService, Organization that a member means."""
        if member.get("resourceType") == "Organization":
            return {}, {}, "", {}, member
        if member.get("resourceType") == "Practitioner":
            return {}, member, _reference(participant.get("member")), {}, None
        services = _objects(member.get("healthcareService"))
        return (
            member,
            self._resolve(member.get("practitioner"), "Practitioner") or {},
            _reference(member.get("practitioner")),
            self._resolve(next(services, {}), "HealthcareService") or {},
            self._resolve(member.get("organization"), "Organization"),
        )

    def _absence(self, role: Json) -> tuple[str | None, Cover | None]:
        """Until when the first absence that has an end lasts, and who stands in, if that is somebody with a name."""
        for absence in _objects(role.get("notAvailable")):
            if until := _date(_object(absence.get("during")).get("end")):
                return until, self._cover(_extension(absence, COVER_EXTENSION).get("valueReference"))
        return None, None

    def _cover(self, reference: object) -> Cover | None:
        role = self._resolve(reference, "PractitionerRole") or {}
        professional = _human_name(self._resolve(role.get("practitioner"), "Practitioner") or {})
        if not professional:
            return None
        return Cover(
            professional=professional,
            role=_first_text(_objects(role.get("code"))),
            contact_points=_contact_points(list(_objects(role.get("telecom")))),
        )

    def _note_encounter(self, encounter: Json) -> None:
        day = _date(_object(encounter.get("period")).get("start"))
        if day is None:
            return
        contact = Contact(date=day, kind=_first_text(_objects(encounter.get("type"))))
        for participant in _objects(encounter.get("participant")):
            who = _reference(participant.get("individual"))
            if who not in self._last or self._last[who].date < day:
                self._last[who] = contact

    def _note_appointment(self, appointment: Json) -> None:
        requested = next(_objects(appointment.get("requestedPeriod")), {})
        day = _date(appointment.get("start")) or _date(requested.get("start"))
        if day is None or appointment.get("status") in _NOT_AHEAD:
            return
        contact = Contact(date=day, kind=_concept_text(_object(appointment.get("appointmentType"))))
        for participant in _objects(appointment.get("participant")):
            who = _reference(participant.get("actor"))
            if who not in self._next or day < self._next[who].date:
                self._next[who] = contact

    def _of_type(self, resource_type: str) -> Iterator[Json]:
        return (each for each in self._resources.values() if each.get("resourceType") == resource_type)

    def _resolve(self, reference: object, resource_type: str | None = None) -> Json | None:
        resource = self._resources.get(_reference(reference))
        if resource is None or (resource_type is not None and resource.get("resourceType") != resource_type):
            return None
        return resource


def _objects(value: object, limit: int = MAX_ITEMS) -> Iterator[Json]:
    """The JSON objects among the first `limit` items of what should be a list."""
    return (each for each in (value[:limit] if isinstance(value, list) else ()) if isinstance(each, dict))


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _reference(value: object) -> str:
    reference = _object(value).get("reference")
    return reference if isinstance(reference, str) else ""


def _extension(element: Json, url: str) -> Json:
    """The first extension of this kind."""
    return next((each for each in _objects(element.get("extension")) if each.get("url") == url), {})


def _grade(entry: Json) -> MatchGrade:
    """What nobody vouches for is shown as doubtful."""
    for extension in _objects(_object(entry.get("search")).get("extension")):
        if extension.get("url") == MATCH_GRADE_EXTENSION and extension.get("valueCode") in _GRADES:
            return MatchGrade(extension["valueCode"])
    return MatchGrade.POSSIBLE


def _is_lead(role: Json) -> bool:
    return any(
        coding.get("system") == PARTICIPATION_TYPE and coding.get("code") == LEAD_CODE
        for coding in _objects(role.get("coding"))
    )


def _concept_text(concept: Json) -> str:
    coding = next(_objects(concept.get("coding")), {})
    for candidate in (concept.get("text"), coding.get("display"), coding.get("code")):
        if text := bounded(candidate, MAX_TEXT):
            return text
    return ""


def _first_text(concepts: Iterator[Json]) -> str:
    return next((text for concept in concepts if (text := _concept_text(concept))), "")


def _human_name(practitioner: Json) -> str:
    name = next(_objects(practitioner.get("name")), {})
    given = name.get("given")
    parts = [*(given[:MAX_ITEMS] if isinstance(given, list) else ()), name.get("family")]
    spoken = " ".join(text for part in parts if (text := bounded(part, MAX_TEXT)))
    return (spoken or bounded(name.get("text"), MAX_TEXT))[:MAX_TEXT]


def _date(value: object) -> str | None:
    """The day of a FHIR date or dateTime, possibly partial."""
    match = _DATE.match(value) if isinstance(value, str) else None
    return match[0] if match else None


def _contact_points(telecom: list[Json]) -> tuple[ContactPoint, ...]:
    """Preferred first. Only what can be called or written to: a value becomes a link on a page."""
    ranked: dict[tuple[str, str], ContactPoint] = {}
    for point in telecom:
        system, value = point.get("system"), bounded(point.get("value"), MAX_CONTACT_VALUE)
        if not isinstance(system, str) or system not in CONTACT_POINT_SYSTEMS:
            continue
        if (_EMAIL if system == "email" else _PHONE).fullmatch(value) is None:
            continue
        rank = point.get("rank")
        known_rank = rank if type(rank) is int and 0 < rank <= MAX_ITEMS else MAX_ITEMS
        use = "mobile" if point.get("use") == "mobile" else "work"
        ranked.setdefault((system, value), ContactPoint(system=system, value=value, use=use, rank=known_rank))
    return tuple(sorted(ranked.values(), key=lambda point: point.rank))
