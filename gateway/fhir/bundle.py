"""Builds an answer: a searchset Bundle of plain dictionaries, on the hot path of every disclosure.

    CareTeam (match) --subject-->            Patient: the question's jti, with the match grade, and nothing else
      |-- managingOrganization -->           Organization of the answering member, with its duty contact
      `-- participant.member -->             PractitionerRole --> Practitioner, Organization, HealthcareService
                                               `-- notAvailable, cover --> PractitionerRole of who stands in
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

from gateway.fhir.codes import (
    ACT_CODE,
    AMBULATORY,
    COVER_EXTENSION,
    ENCOUNTER_CLASSES,
    LAST_CONFIRMED_EXTENSION,
    LEAD_ROLE,
    MATCH_GRADE_EXTENSION,
)
from gateway.fhir.elements import (
    Resource,
    organisation_elements,
    period,
    practitioner_elements,
    role_elements,
    service_elements,
)
from gateway.fhir.text import plain
from mappings.model import ContactEvent, Organisation, Practitioner, Service
from mappings.vocabulary import MatchGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """The answering member, with what the federation document publishes of it anyway."""

    id: str
    organisation: Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """One involvement, holding no more than may be shown of it.

    Without a practitioner it is the duty contact of its service or organisation; without an organisation the agency's.
    `away_until` is there only while the practitioner is away, `cover` only if there is somebody who stands in.
    """

    organisation: Organisation | None = None
    service: Service | None = None
    practitioner: Practitioner | None = None
    role: str = ""
    start: str | None = None
    end: str | None = None
    lead: bool = False
    last_confirmed: str | None = None
    away_until: str | None = None
    cover: Practitioner | None = None
    last_contact: ContactEvent | None = None
    next_visit: ContactEvent | None = None

    @property
    def is_desk(self) -> bool:
        """Whether it shows no more of an involvement than where it is."""
        return self.practitioner is None and not (
            self.role or self.start or self.end or self.lead or self.last_confirmed
        )


def build_bundle(
    participations: Sequence[Participation], *, agency: Agency, jti: str, grade: MatchGrade, now: float
) -> Resource:
    """The Bundle that shows `participations`, in their order. `now` is in epoch seconds."""
    return _Answer(agency, jti, now).bundle(participations, grade)


class _Answer:
    """The entries of one Bundle while it is built; equal things are entered once."""

    def __init__(self, agency: Agency, jti: str, now: float) -> None:
        digest = hashlib.sha256(f"{agency.id}\0{jti}".encode()).hexdigest()
        # A UUID of version 8, RFC 9562: its last group counts the resources.
        self._id_prefix = f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-8{digest[17:20]}-"
        self._agency = agency
        self._jti = jti
        self._timestamp = datetime.fromtimestamp(int(now), UTC).isoformat().replace("+00:00", "Z")
        self._entries: list[Resource] = []
        # By key of the source, which two sources may share: hashing whole values took longer than all the rest.
        self._entered: dict[str, list[tuple[Practitioner | Organisation | Service, Resource]]] = {}
        self._roles: dict[tuple[str, ...], Resource] = {}
        self._events: set[tuple[str, ContactEvent]] = set()

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
        starts = [each["period"]["start"] for each in participants if "start" in each.get("period", ())]
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

    def _known(self, value: Practitioner | Organisation | Service) -> Resource | None:
        """The Reference to an equal value that has been entered."""
        for entered, reference in self._entered.get(value.key, ()):
            if entered is value or entered == value:
                return reference
        return None

    def _remember(self, value: Practitioner | Organisation | Service, reference: Resource) -> Resource:
        self._entered.setdefault(value.key, []).append((value, reference))
        return reference

    def _participant(self, shown: Participation) -> Resource:
        organisation = self._organisation(shown.organisation)
        service = None if shown.service is None else self._service(shown.service, organisation)
        participant: Resource = {}
        if shown.last_confirmed:
            participant["extension"] = [{"url": LAST_CONFIRMED_EXTENSION, "valueDate": shown.last_confirmed}]
        roles: list[Resource] = [LEAD_ROLE] if shown.lead else []
        role = plain(shown.role)
        if shown.practitioner is None:
            participant["member"] = organisation if service is None else self._role(None, service, organisation)
        else:
            practitioner = self._practitioner(shown.practitioner)
            participant["member"] = self._role(practitioner, service, organisation, shown)
            role = role or plain(shown.practitioner.role)
            self._schedule(shown, practitioner)
        if role:
            roles.append({"text": role})
        if roles:
            participant["role"] = roles
        if span := period(shown.start, shown.end):
            participant["period"] = span
        return participant

    def _role(
        self,
        practitioner: Resource | None,
        service: Resource | None,
        organisation: Resource,
        who: Participation | None = None,
    ) -> Resource:
        """Whom a participant means: somebody in their service and organisation, or without `who` the service's desk."""
        parties = tuple([each["reference"] for each in (practitioner, service, organisation) if each is not None])
        reference = self._roles.get(parties)
        if reference is not None:
            return reference
        role: Resource = {}
        if practitioner is not None and who is not None and who.practitioner is not None:
            role["practitioner"] = practitioner
            role |= role_elements(who.practitioner)
            if who.away_until:
                role["notAvailable"] = [self._absence(who.away_until, who.cover)]
        role["organization"] = organisation
        if service is not None:
            role["healthcareService"] = [service]
        self._roles[parties] = reference = self._enter("PractitionerRole", role)
        return reference

    def _absence(self, until: str, cover: Practitioner | None) -> Resource:
        """That somebody is away, and the PractitionerRole, within the agency as a whole, of who stands in."""
        absence: Resource = {"description": "Away", "during": {"end": until}}
        if cover is not None:
            stands_in = self._role(
                self._practitioner(cover), None, self._organisation(None), Participation(practitioner=cover)
            )
            absence["extension"] = [{"url": COVER_EXTENSION, "valueReference": stands_in}]
        return absence

    def _practitioner(self, practitioner: Practitioner) -> Resource:
        reference = self._known(practitioner)
        if reference is not None:
            return reference
        return self._remember(practitioner, self._enter("Practitioner", practitioner_elements(practitioner)))

    def _organisation(self, organisation: Organisation | None) -> Resource:
        own = self._agency.organisation
        organisation = organisation or own
        reference = self._known(organisation)
        if reference is not None:
            return reference
        resource = organisation_elements(organisation)
        if "name" not in resource:
            resource = resource | {"name": plain(own.name)}
        if organisation is not own:
            resource = resource | {"partOf": self._known(own)}
        return self._remember(organisation, self._enter("Organization", resource))

    def _service(self, service: Service, organisation: Resource) -> Resource:
        reference = self._known(service)
        if reference is not None:
            return reference
        resource = {"providedBy": organisation} | service_elements(service)
        return self._remember(service, self._enter("HealthcareService", resource))

    def _schedule(self, shown: Participation, practitioner: Resource) -> None:
        """Stubs of the last contact and the next visit: day, kind, practitioner; never content."""
        if (last := shown.last_contact) is not None and self._is_news(last, practitioner):
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
        if (visit := shown.next_visit) is not None and self._is_news(visit, practitioner):
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

    def _is_news(self, event: ContactEvent, practitioner: Resource) -> bool:
        """Whether it has not been told yet: one practitioner may have two involvements with a person."""
        told = (practitioner["reference"], event)
        if told in self._events:
            return False
        self._events.add(told)
        return True
