"""merge(): honest Bundles become rows for people, hostile ones harm nobody."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import MalformedMessage
from gateway.fhir.reader import MAX_BUNDLE_BYTES, Contact, Cover
from gateway.node.merge import TeamRow, merge, rows_of
from mappings.model import MAX_TEXT, ContactPoint
from mappings.vocabulary import MatchGrade
from tests.fhir.teams import TRUST
from tests.fhir.validators import GOLDEN_FOLDER, VECTORS, json_files

HOSTILE = VECTORS / "hostile"

HEALTH_VISITOR = TeamRow(
    member="southshire-trust",
    agency="Southshire Community NHS Trust",
    organisation="Southshire Children's Community Health",
    professional="Sam Specimen",
    role="Named health visitor",
    service="Health visiting, Northtown",
    contact_points=(
        ContactPoint(system="phone", value="07700 900123", use="mobile", rank=1),
        ContactPoint(system="phone", value="01632 960312", rank=2),
        ContactPoint(system="email", value="sam.specimen@trust.example.org", rank=3),
    ),
    working_pattern="",
    away_until=None,
    cover=None,
    since="2026-01-05",
    until=None,
    last_confirmed=None,
    lead=True,
    last_contact=Contact(date="2026-11-12", kind="home-visit"),
    next_visit=Contact(date="2026-12-03", kind="clinic"),
    grade=MatchGrade.PROBABLE,
)


def _rows(path: Path) -> tuple[TeamRow, ...]:
    return rows_of(TRUST, path.read_bytes())


def _hostile(name: str) -> tuple[TeamRow, ...]:
    return _rows(HOSTILE / f"{name}.json")


def test_schedule_bundle_reads_back_as_it_was_disclosed() -> None:
    assert _rows(GOLDEN_FOLDER / "schedule.json") == (HEALTH_VISITOR,)


def test_hours_absence_cover_and_last_confirmation_read_back_as_they_were_disclosed() -> None:
    (row,) = _rows(GOLDEN_FOLDER / "away_with_cover.json")
    assert row == replace(
        HEALTH_VISITOR,
        working_pattern="Mon, Wed 9-1; term time only",
        away_until="2026-12-04",
        cover=Cover(
            professional="Jo Ann Example-Muster",
            role="School nurse",
            contact_points=(ContactPoint(system="phone", value="01632 960320"),),
        ),
        last_confirmed="2026-11-01",
        last_contact=None,
        next_visit=None,
    )


def test_absence_and_cover_that_attack_are_bounded_and_cleaned() -> None:
    (row,) = _hostile("absence_and_cover_that_attack")
    assert len(row.working_pattern) <= MAX_TEXT
    assert row.working_pattern.startswith("Mon-Fri red")
    assert row.last_confirmed is None
    assert (row.away_until, row.cover) == (
        "2026-12-04",
        Cover(
            professional="Jo Example-Muster",
            role="School nurse",
            contact_points=(ContactPoint(system="phone", value="01632 960320"),),
        ),
    )


@pytest.mark.parametrize(
    "cover",
    [
        None,
        5,
        [],
        {"reference": []},
        {"reference": "https://evil.example.org/PractitionerRole/1"},
        {"reference": "urn:uuid:6f1c9f0e-54a5-4d0e-9a37-6a8f1f8b2a11"},  # the Patient
    ],
)
def test_cover_that_is_nobody_is_not_shown(cover: object) -> None:
    bundle = json.loads((GOLDEN_FOLDER / "away_with_cover.json").read_bytes())
    for entry in bundle["entry"]:
        for absence in entry["resource"].get("notAvailable", ()):
            absence["extension"][0]["valueReference"] = cover
    (row,) = rows_of(TRUST, json.dumps(bundle).encode())
    assert (row.away_until, row.cover) == ("2026-12-04", None)


def test_who_is_their_own_cover_is_read_once() -> None:
    bundle = json.loads((GOLDEN_FOLDER / "away_with_cover.json").read_bytes())
    for entry in bundle["entry"]:
        for absence in entry["resource"].get("notAvailable", ()):
            absence["extension"][0]["valueReference"] = {"reference": entry["fullUrl"]}
    (row,) = rows_of(TRUST, json.dumps(bundle).encode())
    assert row.cover is not None
    assert row.cover.professional == row.professional


def test_duty_contact_is_the_services_desk_preferred_way_first() -> None:
    (row,) = _rows(GOLDEN_FOLDER / "duty_contact.json")
    assert (row.professional, row.role, row.since, row.lead) == ("", "", None, False)
    assert [point.value for point in row.contact_points] == ["01632 960311", "hv.duty@trust.example.org"]


def test_several_involvements_are_rows_with_named_people_first() -> None:
    rows = _rows(GOLDEN_FOLDER / "several_involvements.json")
    assert [(row.professional, row.service) for row in rows] == [
        ("Sam Specimen", "Health visiting, Northtown"),
        ("Jo Ann Example-Muster", "School nursing"),
        ("", "Harbour Street clinic"),
    ]


def test_table_goes_agency_by_agency() -> None:
    council = replace(TRUST, id="southshire-council", name="Council of Southshire")
    teams = [rows_of(member, (GOLDEN_FOLDER / "practitioner.json").read_bytes()) for member in (TRUST, council)]
    assert [row.member for row in merge(teams)] == ["southshire-council", "southshire-trust"]


def test_escape_sequences_and_invisible_characters_never_reach_a_terminal() -> None:
    assert _hostile("terminal_escapes") == (
        replace(HEALTH_VISITOR, professional="Sam Specimen", role="Health visitor", service="Health visiting"),
    )


def test_contact_points_that_attack_are_left_out() -> None:
    (row,) = _hostile("contact_points_that_attack")
    assert row.contact_points == (
        ContactPoint(system="sms", value="07700 900123", rank=2),
        ContactPoint(system="phone", value="01632 960312", rank=20),
    )


@pytest.mark.parametrize(
    ("system", "value", "shown"),
    [
        ("phone", "+44 (0)1632 960123", True),
        ("phone", "01632 960123 ext. 4 (duty desk)", True),
        ("phone", "101", True),
        ("sms", "07700-900123", True),
        ("phone", "ask reception", False),
        ("phone", "tel:01632960123", False),
        ("phone", "01632 960123<script>", False),
        ("email", "first.last+team@sub.example.org", True),
        ("email", "mailto:first@example.org", False),
        ("email", "nobody", False),
    ],
)
def test_contact_point_is_shown_if_one_can_call_or_write_to_it(system: str, value: str, shown: bool) -> None:
    bundle = json.loads((GOLDEN_FOLDER / "practitioner.json").read_bytes())
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "PractitionerRole":
            entry["resource"]["telecom"] = [{"system": system, "value": value}]
    (row,) = rows_of(TRUST, json.dumps(bundle).encode())
    assert [point.value for point in row.contact_points] == ([value] if shown else [])


def test_circles_and_dangling_references_end_where_they_start() -> None:
    (circle,) = _hostile("references_in_circles")
    assert (circle.professional, circle.role) == ("", "Named health visitor")
    (dangling,) = _hostile("references_to_nothing")
    assert dangling == replace(HEALTH_VISITOR, organisation="", service="")


def test_values_of_wrong_types_are_as_if_they_were_not_there() -> None:
    (row,) = _hostile("wrong_types_everywhere")
    assert row == replace(HEALTH_VISITOR, since=None, lead=False, grade=MatchGrade.POSSIBLE)


def test_second_resource_under_one_full_url_does_not_replace_the_first() -> None:
    assert _hostile("full_url_twice") == (HEALTH_VISITOR,)


def test_resources_of_no_concern_are_ignored() -> None:
    assert _hostile("resources_of_no_concern") == (HEALTH_VISITOR,)


def test_far_too_much_of_everything_is_bounded() -> None:
    (row,) = _hostile("far_too_much")
    assert len(row.professional) <= MAX_TEXT
    assert len(row.contact_points) <= 20
    assert len(row.service) <= 3


@pytest.mark.parametrize("path", json_files(HOSTILE), ids=lambda path: path.stem)
def test_every_text_of_a_hostile_bundle_can_be_printed(path: Path) -> None:
    for row in _rows(path):
        texts = (
            row.professional,
            row.role,
            row.service,
            row.organisation,
            row.working_pattern,
            *(each.value for each in row.contact_points),
            *((row.cover.professional, row.cover.role) if row.cover else ()),
            *((each.value for each in row.cover.contact_points) if row.cover else ()),
        )
        for text in texts:
            assert text.replace("\u0301", "").isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"resourceType":"Bundle","type":"searchset"}',
        b'{"resourceType":"Bundle","type":"collection","entry":[]}',
        b'{"resourceType":"Parameters","type":"searchset","entry":[]}',
        b'{"resourceType":"Bundle","type":"searchset","entry":{"0":1}}',
        b'{"resourceType":"Bundle","type":"searchset","entry":[NaN]}',
        b'{"resourceType":"Bundle","type":"searchset","entry":[' + b"{}," * 3000 + b"{}]}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b" " * (MAX_BUNDLE_BYTES + 1),
    ],
    ids=range(13),
)
def test_what_is_no_searchset_bundle_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        rows_of(TRUST, data)


def test_largest_bundle_of_empty_participants_takes_little_time() -> None:
    entry = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "CareTeam", "participant": [{"member": {}}] * 40}}
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [entry | {"fullUrl": f"urn:uuid:{index}"} for index in range(250)],
    }
    data = json.dumps(bundle, separators=(",", ":")).encode()
    assert len(data) < MAX_BUNDLE_BYTES
    started = time.process_time()
    assert rows_of(TRUST, data) == ()
    assert time.process_time() - started < 1
