"""What neither fhir.resources nor Medplum's validator looks at: the rules that hold a Bundle together.

fullUrls (absolute, unique, agreeing with ids), references that resolve inside the Bundle to a permitted type,
search.mode, required bindings, empty values, periods, UK Core's identifier slices, and for our answers what must not be
in them. Each finding reads `reason at path`; the reasons are stable, the files in tests/vectors/fhir/ name them.
"""

import re
from collections.abc import Iterator
from typing import Any

from gateway.fhir.codes import MATCH_GRADE_EXTENSION
from mappings.vocabulary import NHS_NUMBER_SYSTEM, ODS_SYSTEM, MatchGrade

_UUID_URL = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HTTP_URL = re.compile(r"https?://\S+")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_BUNDLE_TYPES = frozenset(
    (
        *("document", "message", "transaction", "transaction-response", "batch", "batch-response", "history"),
        *("searchset", "collection"),
    )
)
_GRADES = frozenset(MatchGrade)
_SEARCH_MODES = frozenset(("match", "include", "outcome"))
_GENDERS = frozenset(("male", "female", "other", "unknown"))
_DAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_NAME_USES = frozenset(("usual", "official", "temp", "nickname", "anonymous", "old", "maiden"))

# Required bindings of R4, by resource and path.
_CODES = {
    "CareTeam.status": frozenset(("proposed", "active", "suspended", "inactive", "entered-in-error")),
    "Appointment.status": frozenset(
        (
            *("proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error"),
            *("checked-in", "waitlist"),
        )
    ),
    "Appointment.participant.status": frozenset(("accepted", "declined", "tentative", "needs-action")),
    "Appointment.participant.required": frozenset(("required", "optional", "information-only")),
    "Encounter.status": frozenset(
        (
            *("planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error"),
            "unknown",
        )
    ),
    # Extensible; these are the codes of v3 ActEncounterCode, and we have no others.
    "Encounter.class.code": frozenset(
        ("AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", "VR")
    ),
    "Patient.gender": _GENDERS,
    "Practitioner.gender": _GENDERS,
    "PractitionerRole.availableTime.daysOfWeek": _DAYS,
    "HealthcareService.availableTime.daysOfWeek": _DAYS,
    "Consent.status": frozenset(["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"]),
    "Endpoint.status": frozenset(["active", "suspended", "error", "off", "entered-in-error", "test"]),
    "OperationOutcome.issue.severity": frozenset(("fatal", "error", "warning", "information")),
}
# Required bindings inside data types, by the names that elements of that type have.
_TYPE_CODES = {
    "telecom.system": frozenset(("phone", "fax", "email", "pager", "url", "sms", "other")),
    "telecom.use": frozenset(("home", "work", "temp", "old", "mobile")),
    "name.use": _NAME_USES,
    "identifier.use": frozenset(("usual", "official", "temp", "secondary", "old")),
    "address.use": frozenset(("home", "work", "temp", "old", "billing")),
    "text.status": frozenset(("generated", "extensions", "additional", "empty")),
}
_TARGETS = {
    "CareTeam.subject": {"Patient", "Group"},
    "CareTeam.participant.member": {
        *("Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Organization", "CareTeam")
    },
    "CareTeam.managingOrganization": {"Organization"},
    "PractitionerRole.practitioner": {"Practitioner"},
    "PractitionerRole.organization": {"Organization"},
    "PractitionerRole.healthcareService": {"HealthcareService"},
    "HealthcareService.providedBy": {"Organization"},
    "Organization.partOf": {"Organization"},
    "Encounter.subject": {"Patient", "Group"},
    "Encounter.participant.individual": {"Practitioner", "PractitionerRole", "RelatedPerson"},
}

Json = dict[str, Any]


def check_answer(bundle: Json) -> list[str]:
    """The findings about a Bundle that a node answers with."""
    return [*check_bundle(bundle, closed=True), *_check_disclosure(bundle)]


def check_bundle(bundle: Json, *, closed: bool) -> list[str]:
    """The findings about any Bundle; `closed`: every reference must resolve inside it."""
    findings = [] if bundle.get("type") in _BUNDLE_TYPES else ["unknown-code at Bundle.type"]
    entries: list[Json] = bundle.get("entry", [])
    findings += _check_full_urls(entries)
    if bundle.get("type") == "searchset":
        findings += _check_search(bundle, entries)
    for index, entry in enumerate(entries):
        resource = entry.get("resource", {})
        findings += [f"{finding} of entry {index}" for finding in check_resource(resource)]
        if closed:
            findings += [f"{finding} of entry {index}" for finding in _check_references(entry, entries)]
    return findings


def check_resource(resource: Json) -> list[str]:
    """The findings about one resource by itself."""
    kind = resource.get("resourceType", "")
    findings: list[str] = []
    if "id" in resource and _ID.fullmatch(resource["id"]) is None:
        findings.append(f"bad-id at {kind}.id")
    for path, value in _walk(resource, kind):
        if value in ("", None, [], {}) or (isinstance(value, str) and not value.strip()):
            findings.append(f"empty-value at {path}")
        allowed = _CODES.get(path) or _TYPE_CODES.get(".".join(path.split(".")[-2:]))
        if allowed is not None and isinstance(value, str) and value not in allowed:
            findings.append(f"unknown-code at {path}")
        if isinstance(value, dict) and _runs_backwards(value):
            findings.append(f"period-ends-before-it-starts at {path}")
    if kind == "Organization" and not resource.get("name") and not resource.get("identifier"):
        findings.append("organization-without-name at Organization")
    return [*findings, *_check_identifiers(resource, kind)]


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every element with its path, items of a list under the list's path."""
    yield path, value
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _walk(child, f"{path}.{name}")
    elif isinstance(value, list):
        for child in value:
            yield from _walk(child, path)


def _runs_backwards(element: Json) -> bool:
    start, end = element.get("start"), element.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return False
    common = min(len(start), len(end))
    return end[:common] < start[:common]


def _check_identifiers(resource: Json, kind: str) -> Iterator[str]:
    """UK Core: at most one ODS code, and one NHS number, each with a value."""
    value = resource.get("identifier")
    identifiers: list[Json] = value if isinstance(value, list) else []
    for system in (ODS_SYSTEM, NHS_NUMBER_SYSTEM):
        if sum(each.get("system") == system for each in identifiers) > 1:
            yield f"identifier-repeated at {kind}.identifier"
    if any(each.get("system") and not each.get("value") for each in identifiers):
        yield f"identifier-without-value at {kind}.identifier"


def _check_full_urls(entries: list[Json]) -> Iterator[str]:
    seen = set()
    for index, entry in enumerate(entries):
        url, resource = entry.get("fullUrl", ""), entry.get("resource", {})
        if not _UUID_URL.fullmatch(url) and not _HTTP_URL.fullmatch(url):
            yield f"full-url-not-absolute at Bundle.entry[{index}]"
        elif "id" in resource and not url.endswith(
            f":{resource['id']}" if url.startswith("urn:") else f"/{resource.get('resourceType')}/{resource['id']}"
        ):
            yield f"full-url-disagrees-with-id at Bundle.entry[{index}]"
        if url in seen:
            yield f"full-url-repeated at Bundle.entry[{index}]"
        seen.add(url)


def _check_search(bundle: Json, entries: list[Json]) -> Iterator[str]:
    relations = [link.get("relation") for link in bundle.get("link", [])]
    if len(relations) != len(set(relations)):
        yield "link-repeated at Bundle.link"
    sought = next((each["url"] for each in bundle.get("link", []) if each.get("relation") == "self"), "")
    sought_type = sought.partition("?")[0].rpartition("/")[2]
    for index, entry in enumerate(entries):
        mode, resource = entry.get("search", {}).get("mode"), entry.get("resource", {})
        kind = resource.get("resourceType")
        if mode not in _SEARCH_MODES:
            yield f"search-mode at Bundle.entry[{index}]"
        elif (mode == "outcome") != (kind == "OperationOutcome"):
            yield f"search-mode-of-other-type at Bundle.entry[{index}]"
        for extension in entry.get("search", {}).get("extension", ()):
            if extension.get("url") == MATCH_GRADE_EXTENSION and extension.get("valueCode") not in _GRADES:
                yield f"unknown-code at Bundle.entry.search.extension of entry {index}"
        if mode == "match" and "id" not in resource:
            yield f"match-without-id at Bundle.entry[{index}]"
        if mode == "match" and sought_type[:1].isupper() and kind != sought_type:
            yield f"match-of-other-type at Bundle.entry[{index}]"


def _check_references(entry: Json, entries: list[Json]) -> Iterator[str]:
    resource = entry.get("resource", {})
    by_url = {each.get("fullUrl"): each.get("resource", {}) for each in entries}
    contained = {each.get("id") for each in resource.get("contained", [])}
    kind = resource.get("resourceType", "")
    base = entry.get("fullUrl", "").removesuffix(f"{kind}/{resource.get('id')}")
    for path, value in _walk(resource, kind):
        reference = value.get("reference") if isinstance(value, dict) else None
        if not isinstance(reference, str) or reference[1:] in contained or reference == "#":
            continue
        target = by_url.get(reference, by_url.get(base + reference))
        if target is None:
            yield f"reference-unresolved at {path}"
        elif path in _TARGETS and target.get("resourceType") not in _TARGETS[path]:
            yield f"reference-to-other-type at {path}"


def _check_disclosure(bundle: Json) -> Iterator[str]:
    """docs/wire.md, "Answer": no totals, and of the subject only the question's id and the grade."""
    if "total" in bundle:
        yield "total at Bundle.total"
    patients = [
        entry for entry in bundle.get("entry", []) if entry.get("resource", {}).get("resourceType") == "Patient"
    ]
    if len(patients) != 1:
        yield "not-one-patient at Bundle.entry"
    for entry in patients:
        if set(entry["resource"]) != {"resourceType", "id"}:
            yield "patient-holds-more-than-its-id at Patient"
        if not any(each.get("url") == MATCH_GRADE_EXTENSION for each in entry.get("search", {}).get("extension", ())):
            yield "match-grade-missing at Bundle.entry.search"
