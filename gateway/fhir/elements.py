"""What one value of ours always becomes in FHIR. Kept, because practitioners, organisations and services recur from
person to person; so whoever enters the result into a resource copies it.
"""

from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from gateway.fhir.codes import CONTACT_POINT_SYSTEMS, CONTACT_POINT_USES, WORKING_PATTERN_EXTENSION
from gateway.fhir.text import plain
from mappings.model import MAX_TEXT, ContactPoint, Identifier, Organisation, Practitioner, Service

KEPT_ELEMENTS: Final = 1024  # of each kind
MAX_CONTACT_POINTS: Final = 5  # of one practitioner or desk, the most preferred; a team of many must fit an answer

_RANK = attrgetter("rank")

Resource = dict[str, Any]  # one JSON object of FHIR R4


@lru_cache(KEPT_ELEMENTS)
def role_elements(who: Practitioner) -> Resource:
    """Working pattern, title and contact points of a PractitionerRole.

    The pattern is text as people write it ("Mon, Wed 9-1, term time only"): to guess at days and times for
    availableTime could send a caller at the wrong hour, and availabilityExceptions would call these hours *off*.
    """
    elements: Resource = {}
    if pattern := plain(who.working_pattern):
        elements["extension"] = [{"url": WORKING_PATTERN_EXTENSION, "valueString": _shortened(pattern)}]
    if title := plain(who.role):
        elements["code"] = [{"text": title}]
    if points := _contact_points(who.contact_points):
        elements["telecom"] = points
    return elements


@lru_cache(KEPT_ELEMENTS)
def practitioner_elements(practitioner: Practitioner) -> Resource:
    """The name of a Practitioner."""
    name: Resource = {}
    if family := plain(practitioner.name.family):
        name["family"] = family
    if given := [text for part in practitioner.name.given if (text := plain(part))]:
        name["given"] = given
    return {"name": [name]}


@lru_cache(KEPT_ELEMENTS)
def organisation_elements(organisation: Organisation) -> Resource:
    """Identifiers, type, name and duty contact of an Organization; without a name if none can be shown."""
    elements: Resource = {}
    if identifiers := _identifiers(organisation.identifiers):
        elements["identifier"] = identifiers
    if organisation.type is not None:
        elements["type"] = [{"text": organisation.type.value}]
    if name := plain(organisation.name):
        elements["name"] = name
    if points := _contact_points(organisation.duty_contact):
        elements["contact"] = [{"purpose": {"text": "Duty contact"}, "telecom": points}]
    return elements


@lru_cache(KEPT_ELEMENTS)
def service_elements(service: Service) -> Resource:
    """Type, name and duty contact of a HealthcareService."""
    elements: Resource = {}
    if code := plain(service.code):
        elements["type"] = [{"text": code}]
    if name := plain(service.name):
        elements["name"] = name
    if points := _contact_points(service.duty_contact):
        elements["telecom"] = points
    return elements


def _shortened(text: str) -> str:
    """No more than one line's worth, and visibly so; a team of many must fit an answer."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1].rstrip()}…"


def period(start: str | None, end: str | None) -> Resource:
    """A FHIR Period; of one that would end before it starts (per-1), the end is told."""
    if start and end:
        common = min(len(start), len(end))
        return {"end": end} if end[:common] < start[:common] else {"start": start, "end": end}
    return {"start": start} if start else {"end": end} if end else {}


def _contact_points(points: Iterable[ContactPoint]) -> list[Resource]:
    """Preferred first, ranked 1, 2, 3 ... whatever the numbers of the source were."""
    told: list[Resource] = []
    for point in sorted(points, key=_RANK):
        if point.system in CONTACT_POINT_SYSTEMS and (value := plain(point.value)):
            use = point.use if point.use in CONTACT_POINT_USES else "work"
            told.append({"system": point.system, "value": value, "use": use, "rank": len(told) + 1})
    return told[:MAX_CONTACT_POINTS]


def _identifiers(identifiers: Iterable[Identifier]) -> list[Resource]:
    """The first of each system (UK Core allows one ODS code), without the protected ones."""
    told: dict[str, Resource] = {}
    for identifier in identifiers:
        system, value = plain(identifier.system), plain(identifier.value)
        if system and value and not identifier.protected and system not in told:
            told[system] = {"system": system, "value": value}
    return list(told.values())
