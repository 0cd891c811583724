"""One record at a time: what becomes of fields, of codes that nobody knows, and of what must not be left out."""

from pathlib import Path
from typing import Any

import pytest

from mappings.engine import Mapper, apply
from mappings.model import (
    MAX_FREE_TEXT,
    MAX_TEXT,
    ConsentStatement,
    ContactEvent,
    Involvement,
    Mapped,
    Person,
    Practitioner,
)
from mappings.rules import MAX_ITEMS, MAX_OBJECTS
from mappings.spec import SpecError
from mappings.vocabulary import MAX_SCOPE, Mode, Purpose, Sensitivity
from tests.unit.mappings.kit import PERSON, spec

ROW = {"id": "1", "surname": "Smith", "forename": "John"}
INVOLVEMENT = """
[[map]]
from = "row"
type = "involvement"
key = ["id"]
person_key = ["id"]
service_key = ["team"]
end = { field = "end", date = "%d/%m/%Y" }
start = { field = "start", date = "%d/%m/%Y" }
sensitivity = { field = "level", value_set = "sensitivity" }
max_mode = { field = "most", value_set = "most" }
role = { field = "role", value_set = "roles" }
lead = "lead"
[value_sets.most]
target = "mode"
codes = { A = "schedule", B = "duty-contact" }
[value_sets.roles]
target = "text"
codes = { SW = "Social worker" }
"""
CONSENT = """
[[map]]
from = "row"
type = "consent"
key = ["id"]
person_key = ["id"]
permit = { field = "ok", yes = ["yes"], no = ["no"] }
until = { field = "until", date = "%Y-%m-%d" }
purposes = { field = "purposes", split = ",", value_set = "purposes" }
recipients = { field = "to", split = "," }
modes = { field = "modes", split = ",", value_set = "modes" }
[value_sets.modes]
target = "mode"
codes = { no = "none", some = "duty-contact" }
[value_sets.purposes]
target = "purpose"
codes = { care = "COC", risk = "THREAT" }
"""


def one(tmp_path: Path, text: str, **fields: Any) -> tuple[Mapped | None, list[tuple[str, str, bool]]]:
    objects, issues = apply(spec(tmp_path, text), "row", {**ROW, **fields})
    return (objects[0] if objects else None), [(issue.field, issue.reason, issue.rejects) for issue in issues]


def involvement(tmp_path: Path, **fields: Any) -> tuple[Involvement, list[tuple[str, str, bool]]]:
    made, issues = one(tmp_path, INVOLVEMENT, team="T", **fields)
    assert isinstance(made, Involvement)
    return made, issues


def test_unmapped_code_is_an_issue_and_costs_the_value(tmp_path: Path) -> None:
    made, issues = involvement(tmp_path, role="XX")
    assert made.role == ""
    assert issues == [("role", "involvement.role: a code that value set 'roles' does not have", False)]


def test_codes_are_compared_without_case_and_spaces(tmp_path: Path) -> None:
    made, issues = involvement(tmp_path, role=" sw ", level="VERY  restricted")
    assert (made.role, made.sensitivity, issues) == ("Social worker", Sensitivity.VERY_RESTRICTED, [])


@pytest.mark.parametrize(
    ("field", "attribute", "cautious"),
    [("level", "sensitivity", Sensitivity.VERY_RESTRICTED), ("most", "max_mode", Mode.NONE)],
)
def test_limit_that_cannot_be_read_becomes_the_strictest(
    tmp_path: Path, field: str, attribute: str, cautious: object
) -> None:
    made, issues = involvement(tmp_path, **{field: "??"})
    assert getattr(made, attribute) == cautious
    assert len(issues) == 1


def test_bar_on_a_person_that_cannot_be_read_is_a_bar(tmp_path: Path) -> None:
    made, issues = one(tmp_path, PERSON + 'restricted = "bar"', bar="N/K")
    assert isinstance(made, Person)
    assert made.restricted
    assert issues == [("bar", "person.restricted: neither of its words for yes nor of those for no", False)]


def test_protection_that_cannot_be_read_protects(tmp_path: Path) -> None:
    made, issues = one(
        tmp_path, PERSON.replace('["forename"] }', '["forename"], protected = "flag" }'), flag="see file"
    )
    assert isinstance(made, Person)
    assert made.names[0].protected
    assert len(issues) == 1


def test_end_that_cannot_be_read_rejects_so_that_a_closed_case_is_not_shown_as_open(tmp_path: Path) -> None:
    made, issues = one(tmp_path, INVOLVEMENT, team="T", end="soon")
    assert made is None
    assert issues == [("end", "involvement.end: not a date of the form %d/%m/%Y", True)]


def test_start_that_cannot_be_read_costs_the_start_only(tmp_path: Path) -> None:
    made, issues = involvement(tmp_path, start="soon")
    assert made.start is None
    assert [rejects for _, _, rejects in issues] == [False]


def test_attribute_can_be_required(tmp_path: Path) -> None:
    text = PERSON + 'birth_date = { field = "dob", date = "%Y", required = true }'
    assert one(tmp_path, text, dob="") == (None, [("dob", "person.birth_date: required, but empty", True)])
    assert one(tmp_path, text, dob="N/K")[0] is None
    assert one(tmp_path, text, dob="young")[0] is None
    assert one(tmp_path, text, dob="1990")[0] is not None


def test_involvement_of_nobody_is_rejected(tmp_path: Path) -> None:
    made, issues = one(tmp_path, INVOLVEMENT, team=" ")
    assert made is None
    assert issues == [("", "involvement.practitioner_key: names neither a practitioner nor a service", True)]


def test_person_without_a_name_is_rejected(tmp_path: Path) -> None:
    made, issues = one(tmp_path, PERSON, surname="", forename="N/K")
    assert made is None
    assert issues == [("surname + forename", "person.names: required, but empty", True)]


def test_one_rejected_object_rejects_the_record_unless_it_is_optional(tmp_path: Path) -> None:
    event = """
[[map]]
from = "row"
type = "contact_event"
key = ["id", "seen"]
person_key = ["id"]
kind = { constant = "home-visit" }
date = { field = "seen", date = "%d/%m/%Y" }
"""
    fields = {**ROW, "seen": "last week"}
    objects, issues = apply(spec(tmp_path, PERSON + event), "row", fields)
    assert objects == []
    assert [issue.rejects for issue in issues] == [True]
    objects, issues = apply(spec(tmp_path, PERSON + event + "optional = true"), "row", fields)
    assert [type(made) for made in objects] == [Person]
    assert [(issue.field, issue.rejects) for issue in issues] == [("seen", False)]
    objects, issues = apply(spec(tmp_path, PERSON + event + 'needs = ["seen"]'), "row", {**ROW, "seen": " "})
    assert ([type(made) for made in objects], issues) == ([Person], [])


@pytest.mark.parametrize(
    ("condition", "status", "wanted"),
    [
        ('when = { field = "status", in = ["CUR", "NEW"] }', "cur", True),
        ('when = { field = "status", in = ["CUR", "NEW"] }', "OLD", False),
        ('unless = { field = "status", in = ["OLD", ""] }', "old", False),
        ('unless = { field = "status", in = ["OLD", ""] }', "", False),
        ('unless = { field = "status", in = ["OLD", ""] }', "N/K", True),
    ],
)
def test_conditions_choose_records_by_a_field(tmp_path: Path, condition: str, status: str, wanted: bool) -> None:
    made, issues = one(tmp_path, PERSON + condition, status=status)
    assert (made is not None) is wanted
    assert not issues


def test_limit_of_a_consent_that_cannot_be_read_rejects_it_because_less_would_permit_more(tmp_path: Path) -> None:
    made, issues = one(tmp_path, CONSENT, ok="yes", purposes="care, everything")
    assert made is None
    assert issues == [("purposes", "consent.purposes: a code that value set 'purposes' does not have", True)]
    assert one(tmp_path, CONSENT, ok="yes", until="for now")[0] is None
    assert one(tmp_path, CONSENT, ok="perhaps")[0] is None
    assert one(tmp_path, CONSENT, ok="")[0] is None


def test_consent_with_its_limits_is_read(tmp_path: Path) -> None:
    made, issues = one(tmp_path, CONSENT, ok="no", purposes="care,risk,care")
    assert isinstance(made, ConsentStatement)
    assert (made.permit, made.purposes, issues) == (False, (Purpose.COORDINATION, Purpose.SAFEGUARDING), [])


def test_keys_of_several_fields_cannot_be_confused(tmp_path: Path) -> None:
    text = PERSON.replace('key = ["id"]', 'key = ["id", "part"]')
    keys = set()
    for key, part in [("a|", "b"), ("a", "|b"), ("a%7C", "b"), ("a", ""), ("", "a")]:
        made, _ = one(tmp_path, text, id=key, part=part)
        assert isinstance(made, Person)
        keys.add(made.key)
    assert len(keys) == 5
    assert one(tmp_path, text, id="", part="")[0] is None


def test_text_that_is_too_long_is_left_out_and_reported(tmp_path: Path) -> None:
    text = """
[[map]]
from = "row"
type = "practitioner"
key = ["id"]
name = { family = "surname" }
role = "role"
working_pattern = "days"
"""
    made, issues = one(tmp_path, text, role="r" * (MAX_TEXT + 1), days="d" * MAX_FREE_TEXT)
    assert isinstance(made, Practitioner)
    assert (made.role, len(made.working_pattern)) == ("", MAX_FREE_TEXT)
    assert issues == [("role", f"practitioner.role: longer than {MAX_TEXT} characters", False)]
    assert one(tmp_path, text, id="k" * (MAX_TEXT + 1))[0] is None


def test_preferred_contact_comes_first_and_equal_ones_count_once(tmp_path: Path) -> None:
    text = """
[[map]]
from = "row"
type = "practitioner"
key = ["id"]
name = { family = "surname" }
contact_points = [
  { system = "phone", value = "desk" },
  { system = "phone", value = "other" },
  { system = "email", value = "mail" },
]
preferred_contact = { field = "prefers", value_set = "contact_preference" }
"""
    fields = {"desk": "01632 960001", "other": "01632960001", "mail": "jo@example.org"}
    made, _ = one(tmp_path, text, prefers="E-Mail", **fields)
    assert isinstance(made, Practitioner)
    assert [(point.value, point.rank) for point in made.contact_points] == [("jo@example.org", 1), ("01632 960001", 2)]
    made, issues = one(tmp_path, text, prefers="pigeon", **fields)
    assert isinstance(made, Practitioner)
    assert [point.rank for point in made.contact_points] == [1, 2]
    assert len(issues) == 1


def test_more_than_one_value_where_one_is_wanted_is_an_issue(tmp_path: Path) -> None:
    made, issues = one(tmp_path, PERSON + 'birth_date = { field = "dob", date = "%Y" }', dob=["1990", "1991"])
    assert isinstance(made, Person)
    assert made.birth_date is None
    assert issues == [("dob", "person.birth_date: more than one value", False)]


def test_column_with_a_slash_in_its_name_can_be_read(tmp_path: Path) -> None:
    made, _ = one(tmp_path, PERSON.replace("forename", "first/other names"), **{"first/other names": "Jo Ann"})
    assert isinstance(made, Person)
    assert made.names[0].given == ("Jo", "Ann")


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    aliases = PERSON.replace("names = [", 'names = [{ each = "alias", family = "#text" }, ')
    assert one(tmp_path, aliases, alias=["x"] * (MAX_ITEMS + 1))[0] is None
    events = """
[[map]]
from = "row"
each = "visit"
type = "contact_event"
key = ["@id"]
person_key = ["/id"]
kind = { constant = "phone" }
date = { field = "@on", date = "%Y-%m-%d" }
"""
    visits = [{"@id": str(number), "@on": "2026-01-01"} for number in range(MAX_OBJECTS + 1)]
    objects, issues = apply(spec(tmp_path, events), "row", {**ROW, "visit": visits[:-1]})
    assert (len(objects), issues) == (MAX_OBJECTS, [])
    assert isinstance(objects[0], ContactEvent)
    assert objects[0].person_key == "1"
    objects, issues = apply(spec(tmp_path, events), "row", {**ROW, "visit": visits})
    assert (objects, [issue.rejects for issue in issues]) == ([], [True])


def test_control_characters_do_not_reach_the_model(tmp_path: Path) -> None:
    made, _ = one(tmp_path, PERSON, surname="Smi\u202eth\x1b[31m", forename="Jo\u00adhn")
    assert isinstance(made, Person)
    assert (made.names[0].family, made.names[0].given) == ("Smith[31m", ("John",))


def test_kind_that_the_mapping_does_not_know_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no \\[\\[map\\]\\] is from 'other'"):
        apply(spec(tmp_path, PERSON), "other", ROW)


WORKER = """
[[map]]
from = "row"
type = "practitioner"
key = ["ref"]
name = { whole = "worker", order = "given-family" }
contact_points = [{ system = "phone", value = "phone" }]
"""


def test_worker_who_recurs_is_made_once_and_a_change_is_seen(tmp_path: Path) -> None:
    mapper = Mapper(spec(tmp_path, PERSON + WORKER))
    row = ROW | {"ref": "w1", "worker": "Ann Lee", "phone": "01632 960001"}
    (_, first), _ = mapper.apply("row", row)
    (_, again), _ = mapper.apply("row", row | {"id": "2"})
    (_, moved), _ = mapper.apply("row", row | {"id": "3", "phone": "01632 960002"})
    assert again is first
    assert isinstance(moved, Practitioner)
    assert moved.contact_points[0].value == "01632 960002"


def test_field_of_a_recurring_worker_that_cannot_be_read_is_reported_for_each_record(tmp_path: Path) -> None:
    mapper = Mapper(spec(tmp_path, PERSON + WORKER))
    row = ROW | {"ref": "w1", "worker": "Ann Lee", "phone": "ask at the desk"}
    issues = [mapper.apply("row", row | {"id": number})[1] for number in ("1", "2")]
    assert [[issue.field for issue in found] for found in issues] == [["phone"], ["phone"]]


def test_worker_whose_column_is_missing_is_not_taken_for_one_whose_column_is_empty(tmp_path: Path) -> None:
    mapper = Mapper(spec(tmp_path, PERSON + WORKER.replace('phone" }', 'home/phone" }')))
    row: dict[str, Any] = ROW | {"ref": "w1", "worker": "Ann Lee"}
    (_, without), _ = mapper.apply("row", row)
    (_, nested), _ = mapper.apply("row", row | {"home": {"phone": "01632 960001"}})
    assert isinstance(without, Practitioner)
    assert isinstance(nested, Practitioner)
    assert (len(without.contact_points), len(nested.contact_points)) == (0, 1)


def test_a_consent_that_no_ledger_can_hold_is_refused_by_its_field(tmp_path: Path) -> None:
    codes = [str(number) for number in range(MAX_SCOPE + 1)]
    assert one(tmp_path, CONSENT, ok="yes", modes="no") == (
        None,
        [("modes", "consent.modes: a permission of nothing", True)],
    )
    for said in ("yes", "no"):
        assert one(tmp_path, CONSENT, ok=said, to=codes) == (
            None,
            [("to", f"consent.recipients: more than {MAX_SCOPE} codes", True)],
        )
    permission, _ = one(tmp_path, CONSENT, ok="yes", to=codes[1:], modes="no,some")
    assert isinstance(permission, ConsentStatement)
    assert permission.modes == (Mode.NONE, Mode.DUTY_CONTACT)
    objection, issues = one(tmp_path, CONSENT, ok="no", modes="no")  # an objection is never lost over its modes
    assert isinstance(objection, ConsentStatement)
    assert issues == []
