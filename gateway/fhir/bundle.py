"""Builds an answer: a searchset Bundle of plain dictionaries, on the hot path of every disclosure.

    CareTeam (match) --subject-->            Patient: the question's jti, with the match grade, and nothing else
      |-- managingOrganization -->           Organization of the answering member, with its duty contact
      `-- participant.member -->             PractitionerRole --> Practitioner, Organization, HealthcareService
    Appointment, Encounter (mode schedule)   one day and kind each, with the practitioner

Ids are made of a digest of member and question and a running number: they reveal nothing that is stored, no two
answers share one but the Patient's, and all references resolve inside the Bundle. There is no `total`, as counts could
tell what was withheld. Days are all that is known of a visit, and R4 wants instants of a booked Appointment (app-3): it
is `proposed`, with the day as `requestedPeriod`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from gateway.fhir.codes import (
    ACT_CODE,
    AMBULATORY,
    CONTACT_POINT_SYSTEMS,
    CONTACT_POINT_USES,
    ENCOUNTER_CLASSES,
    LEAD_ROLE,
    MATCH_GRADE_EXTENSION,
)
from gateway.fhir.text import plain
from mappings.model import ContactEvent, ContactPoint, Identifier, Organisation, Practitioner, Service
from mappings.vocabulary import MatchGrade

MAX_CONTACT_POINTS: Final = 5  # of one practitioner or desk, the most preferred; a team of many must fit an answer

Resource = dict[str, Any]  # one JSON object of FHIR R4


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """The answering member, with what the federation document publishes of it anyway."""

    id: str
    organisation: Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """One involvement, holding no more than may be shown of it.

    Without a practitioner it is the duty contact of its service or organisation; without an organisation the agency's.
    """

    organisation: Organisation | None = None
    service: Service | None = None
    practitioner: Practitioner | None = None
    role: str = ""
    start: str | None = None
    end: str | None = None
    lead: bool = False
    last_contact: ContactEvent | None = None
    next_visit: ContactEvent | None = None


def build_bundle(
    participations: Sequence[Participation], *, agency: Agency, jti: str, grade: MatchGrade, now: float
) -> Resource:
    """The Bundle that shows `participations`, in their order, each different one once. `now` is in epoch seconds."""
    return _Answer(agency, jti, now).bundle(dict.fromkeys(participations), grade)


class _Answer:
    """The entries of one Bundle while it is built; equal things are entered once."""

    def __init__(self, agency: Agency, jti: str, now: float) -> None:
        digest = hashlib.sha256(f"{agency.id}\0{jti}".encode()).hexdigest()
        # A UUID of version 8, RFC 9562: its last group counts the resources.
        self._id_prefix = f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-"
        self._agency = agency
        self._jti = jti
        self._timestamp = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._entries: list[Resource] = []
        self._references: dict[object, Resource] = {}

    def bundle(self, participations: Iterable[Participation], grade: MatchGrade) -> Resource:
        patient = f"urn:uuid:{self._jti}"
        self._subject = {"reference": patient}
        self._enter("CareTeam", {"status": "active", "subject": self._subject})
        team = self._entries[0]
        team["search"] = {"mode": "match"}
        self._entries.append(
            {
                "fullUrl": patient,
                "resource": {"resourceType": "Patient", "id": self._jti},
                "search": {
                    "extension": [{"url": MATCH_GRADE_EXTENSION, "valueCode": grade.value}],
                    "mode": "include",
                },
            }
        )
        managing = self._organisation(None)
        participants = [self._participant(each) for each in participations]
        starts = [period["start"] for each in participants if "start" in (period := each.get("period", {}))]
        if starts:
            team["resource"]["period"] = {"start": min(starts)}
        team["resource"]["participant"] = participants
        team["resource"]["managingOrganization"] = [managing]
        return {
            "resourceType": "Bundle",
            "id": f"{self._id_prefix}{0:012x}",
            "type": "searchset",
            "timestamp": self._timestamp,
            "link": [{"relation": "self", "url": f"CareTeam?patient={self._jti}&_include=*"}],
            "entry": self._entries,
        }

    def _enter(self, resource_type: str, elements: Resource) -> Resource:
        """Enter a resource of the team under the next id; returns the Reference to it."""
        identity = f"{self._id_prefix}{len(self._entries) + 1:012x}"
        full_url = f"urn:uuid:{identity}"
        resource = {"resourceType": resource_type, "id": identity, **elements}
        self._entries.append({"fullUrl": full_url, "resource": resource, "search": {"mode": "include"}})
        return {"reference": full_url}

    def _participant(self, shown: Participation) -> Resource:
        participant: Resource = {}
        roles: list[Resource] = [LEAD_ROLE] if shown.lead else []
        role = plain(shown.role)
        if not role and shown.practitioner is not None:
            role = plain(shown.practitioner.role)
        if role:
            roles.append({"text": role})
        if roles:
            participant["role"] = roles
        participant["member"] = self._member(shown)
        if period := _period(shown.start, shown.end):
            participant["period"] = period
        if shown.practitioner is not None:
            self._schedule(shown, self._practitioner(shown.practitioner))
        return participant

    def _member(self, shown: Participation) -> Resource:
        """Who is named, in the role they work in; else the service's duty desk; else the organisation's."""
        key = (shown.practitioner, shown.service, shown.organisation)
        reference = self._references.get(key)
        if reference is not None:
            return reference
        organisation = self._organisation(shown.organisation)
        if shown.practitioner is None and shown.service is None:
            return organisation
        role: Resource = {}
        if shown.practitioner is not None:
            role["practitioner"] = self._practitioner(shown.practitioner)
            if title := plain(shown.practitioner.role):
                role["code"] = [{"text": title}]
            if points := _contact_points(shown.practitioner.contact_points):
                role["telecom"] = points
        role["organization"] = organisation
        if shown.service is not None:
            role["healthcareService"] = [self._service(shown.service, organisation)]
        self._references[key] = reference = self._enter("PractitionerRole", role)
        return reference

    def _practitioner(self, practitioner: Practitioner) -> Resource:
        reference = self._references.get(practitioner)
        if reference is None:
            name: Resource = {}
            if family := plain(practitioner.name.family):
                name["family"] = family
            if given := [text for part in practitioner.name.given if (text := plain(part))]:
                name["given"] = given
            reference = self._enter("Practitioner", {"name": [name]})
            self._references[practitioner] = reference
        return reference

    def _organisation(self, organisation: Organisation | None) -> Resource:
        own = self._agency.organisation
        if organisation is None or organisation.name == own.name:
            organisation = own
        reference = self._references.get(organisation)
        if reference is not None:
            return reference
        resource: Resource = {}
        if identifiers := _identifiers(organisation.identifiers):
            resource["identifier"] = identifiers
        if organisation.type is not None:
            resource["type"] = [{"text": organisation.type.value}]
        resource["name"] = plain(organisation.name) or plain(own.name)
        if organisation is not own:
            resource["partOf"] = self._references[own]
        if points := _contact_points(organisation.duty_contact):
            resource["contact"] = [{"purpose": {"text": "Duty contact"}, "telecom": points}]
        self._references[organisation] = reference = self._enter("Organization", resource)
        return reference

    def _service(self, service: Service, organisation: Resource) -> Resource:
        key = (service, organisation["reference"])
        reference = self._references.get(key)
        if reference is not None:
            return reference
        resource: Resource = {"providedBy": organisation}
        if code := plain(service.code):
            resource["type"] = [{"text": code}]
        if name := plain(service.name):
            resource["name"] = name
        if points := _contact_points(service.duty_contact):
            resource["telecom"] = points
        self._references[key] = reference = self._enter("HealthcareService", resource)
        return reference

    def _schedule(self, shown: Participation, practitioner: Resource) -> None:
        """Stubs of the last contact and the next visit: day, kind, practitioner; never content."""
        if (last := shown.last_contact) is not None:
            self._enter(
                "Encounter",
                {
                    "status": "finished",
                    "class": {"system": ACT_CODE, "code": ENCOUNTER_CLASSES.get(last.kind, AMBULATORY)},
                    "type": [{"text": plain(last.kind) or "contact"}],
                    "subject": self._subject,
                    "participant": [{"individual": practitioner}],
                    "period": {"start": last.date, "end": last.date},
                },
            )
        if (visit := shown.next_visit) is not None:
            self._enter(
                "Appointment",
                {
                    "status": "proposed",
                    "appointmentType": {"text": plain(visit.kind) or "contact"},
                    "participant": [
                        {"actor": self._subject, "status": "needs-action"},
                        {"actor": practitioner, "status": "needs-action"},
                    ],
                    "requestedPeriod": [{"start": visit.date, "end": visit.date}],
                },
            )


def _period(start: str | None, end: str | None) -> Resource:
    """A FHIR Period; of one that would end before it starts (per-1), the end is told."""
    if start and end:
        common = min(len(start), len(end))
        return {"end": end} if end[:common] < start[:common] else {"start": start, "end": end}
    return {"start": start} if start else {"end": end} if end else {}


def _contact_points(points: Iterable[ContactPoint]) -> list[Resource]:
    """Preferred first, ranked 1, 2, 3 ... whatever the numbers of the source were."""
    told: list[Resource] = []
    for point in sorted(points, key=_rank)[:MAX_CONTACT_POINTS]:
        if point.system in CONTACT_POINT_SYSTEMS and (value := plain(point.value)):
            use = point.use if point.use in CONTACT_POINT_USES else "work"
            told.append({"system": point.system, "value": value, "use": use, "rank": len(told) + 1})
    return told


def _rank(point: ContactPoint) -> int:
    return point.rank


def _identifiers(identifiers: Iterable[Identifier]) -> list[Resource]:
    """The first of each system (UK Core allows one ODS code), without the protected ones."""
    told: dict[str, Resource] = {}
    for identifier in identifiers:
        system, value = plain(identifier.system), plain(identifier.value)
        if system and value and not identifier.protected and system not in told:
            told[system] = {"system": system, "value": value}
    return list(told.values())
