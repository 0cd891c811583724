"""What an auditor's tools are given: word for word, valid FHIR, and within the profiles that it claims."""

import base64
import json
from collections.abc import Callable

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.fhir.audit_cases import AUDIT_FOLDER, AUDITOR, BODIES, CASES, LEAF, events
from tests.fhir.validators import Json, Medplum

Check = Callable[[Json], bool]


@pytest.mark.parametrize("name", CASES)
def test_entry_becomes_the_golden_events(name: str) -> None:
    assert events(name) == json.loads((AUDIT_FOLDER / f"{name}.json").read_bytes())


def test_every_golden_file_is_made_by_a_case() -> None:
    assert {path.stem for path in AUDIT_FOLDER.glob("*.json")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_events_are_valid(name: str, medplum: Medplum) -> None:
    for event in events(name):
        get_fhir_model_class("AuditEvent").model_validate(event)
        assert medplum.errors(event) == []


def agents(event: Json, code: str) -> list[Json]:
    return [each for each in event["agent"] if each.get("type", {}).get("coding", [{}])[0].get("code") == code]


def entities(event: Json, code: str) -> list[Json]:
    return [each for each in event["entity"] if each["type"]["code"] == code]


def one(found: list[Json]) -> bool:
    return len(found) == 1


def observed(event: Json, code: str) -> bool:
    """BALP's invariant val-audit-source: that agent is who recorded the event."""
    return [each["who"] for each in agents(event, code)] == [event["source"]["observer"]]


# The cardinalities and patterns of BALP 1.1.4 that generic validators do not know.
_QUERY: tuple[Check, ...] = (
    lambda event: event["type"]["code"] == "rest" and event["action"] == "E" and event["outcome"] == "0",
    lambda event: "search" in [each["code"] for each in event["subtype"]],
    lambda event: all(one(agents(event, code)) for code in ("110153", "110152")),
    lambda event: all("network" in each for code in ("110153", "110152") for each in agents(event, code)),
    lambda event: all(each["requestor"] and "network" not in each for each in agents(event, "IRCP")),
    lambda event: one(entities(event, "2")) and not {"what", "lifecycle", "detail"} & entities(event, "2")[0].keys(),
    lambda event: b"jti=" in base64.b64decode(entities(event, "2")[0]["query"], validate=True),
)
_DISCLOSURE: tuple[Check, ...] = (
    lambda event: [each["code"] for each in event["subtype"]] == ["disclose"] and "outcome" in event,
    lambda event: all(one(agents(event, code)) for code in ("110153", "110152")),
    lambda event: all("network" in each for code in ("110153", "110152") for each in agents(event, code)),
    lambda event: one(entities(event, "1")) and len(event["entity"]) >= 2,
)
_PATIENT: tuple[Check, ...] = (
    lambda event: one(entities(event, "1")) and entities(event, "1")[0]["role"]["code"] == "1",
    lambda event: entities(event, "1")[0]["what"]["type"] == "Patient",
)
PROFILES: dict[str, tuple[Check, ...]] = {
    "Query": _QUERY,
    "PatientQuery": _QUERY + _PATIENT,
    "PrivacyDisclosure.Source": (
        *_DISCLOSURE,
        *_PATIENT,
        lambda event: event["type"]["code"] == "110106" and event["action"] == "R",
        lambda event: observed(event, "110153"),
    ),
    "PrivacyDisclosure.Recipient": (
        *_DISCLOSURE,
        *_PATIENT,
        lambda event: event["type"]["code"] == "110107" and event["action"] == "C",
        lambda event: observed(event, "110152"),
    ),
    "AuthZconsent": (
        *_PATIENT,
        lambda event: event["type"]["code"] == "110113" and event["action"] == "E",
        lambda event: event["subtype"][0]["code"] == "AuthZ-Consent",
        lambda event: event["outcome"] in {"0", "8"},
        lambda event: all(one(agents(event, code)) for code in ("110150", "IRCP", "PROV", "authserver")),
        lambda event: "network" in agents(event, "110150")[0] and "network" not in agents(event, "PROV")[0],
        lambda event: observed(event, "authserver"),
        lambda event: len(entities(event, "Consent")) >= 1,
        lambda event: {each["type"]["code"] for each in event["entity"]} == {"1", "Consent"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_events_keep_to_the_profiles_that_they_claim(name: str) -> None:
    for event in events(name):
        for claimed in event.get("meta", {}).get("profile", ()):
            checks = PROFILES[claimed.partition("IHE.BasicAudit.")[2]]
            assert [number for number, check in enumerate(checks) if not check(event)] == []


def claimed(name: str) -> list[str]:
    profiles = [event.get("meta", {}).get("profile", [""])[0] for event in events(name)]
    return [profile.partition("IHE.BasicAudit.")[2] for profile in profiles]


@pytest.mark.parametrize(
    ("name", "profiles"),
    [
        ("disclosed_by_consent", ["PatientQuery", "PrivacyDisclosure.Source", "AuthZconsent"]),
        ("refused_despite_consent", ["PatientQuery", "AuthZconsent"]),
        ("refused_without_consent", ["PatientQuery"]),
        ("unknown", ["Query"]),
        ("asked", ["Query"]),
        ("received", ["PrivacyDisclosure.Recipient"]),
        ("objection", [""]),
        ("erased", [""]),
    ],
)
def test_each_outcome_has_its_patterns(name: str, profiles: list[str]) -> None:
    assert claimed(name) == profiles


def test_what_has_been_erased_names_no_person_and_no_asker() -> None:
    (event,) = events("erased")
    text = json.dumps(event)
    assert not entities(event, "1")
    assert "Alex" not in text
    assert "childrens" not in text
    assert LEAF in text
    assert event["recorded"] == "2026-09-21T14:00:00.000Z"


def test_member_who_has_left_still_has_an_address() -> None:
    (_, event, _) = events("disclosed_by_consent")
    assert AUDITOR.members["police"].address == ""
    (source,) = agents(events("received")[0], "110153")
    assert source["network"]["address"] == "urn:patchwork:member:police"
    assert agents(event, "110152")[0]["network"]["address"] == "https://children.example.org"


def test_no_event_has_what_was_asked_or_answered() -> None:
    assert BODIES["asked"]["query"] == "a.b.c"
    for name in CASES:
        assert "a.b.c" not in json.dumps(events(name))
