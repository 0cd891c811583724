"""Guessing what somebody's columns mean, and the mapping that is made of what they decide."""

from dataclasses import fields

import pytest

from mappings.convert import Unusable
from mappings.engine import Mapper
from mappings.guess import COMPUTED, Confidence, Meaning, guess, header_at, mapping_of, problem_with, record_key
from mappings.model import Involvement, Person, Practitioner
from mappings.spec import read

NUMBERS = ("9990000018", "999 000 0026", "999-000-0034")


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("Surname", Meaning.FAMILY_NAME),
        ("LAST NAME", Meaning.FAMILY_NAME),
        ("Forename(s)", Meaning.GIVEN_NAME),
        ("first_name", Meaning.GIVEN_NAME),
        ("Client's name", Meaning.FULL_NAME),
        ("Name", Meaning.FULL_NAME),
        ("D.O.B.", Meaning.BIRTH_DATE),
        ("Date of birth", Meaning.BIRTH_DATE),
        ("Post code", Meaning.POSTCODE),
        ("NHS No.", Meaning.NHS_NUMBER),
        ("Key worker", Meaning.WORKER),
        ("Volunteer", Meaning.WORKER),
        ("Volunteer's mobile", Meaning.WORKER_PHONE),
        ("Support worker email", Meaning.WORKER_EMAIL),
        ("Project", Meaning.SERVICE),
        ("Ref", Meaning.KEY),
        ("Client ID", Meaning.KEY),
        ("Start date", Meaning.START),
        ("Date left", Meaning.END),
        ("Role", Meaning.ROLE),
        ("Email", None),  # it may be the client's own
        ("Phone", None),
        ("Notes", None),
        ("", None),
        ("<script>alert(1)</script>", None),
    ],
)
def test_headers_are_known_in_many_spellings(header: str, meaning: Meaning | None) -> None:
    assert [each.meaning for each in guess([header], [])] == [meaning]


def test_values_say_what_a_column_is_that_has_no_telling_header() -> None:
    rows = [[number, "EX4 4QJ", "01632 960001"] for number in NUMBERS]
    found = guess(["Number 2", "Where", "x"], rows)
    assert [each.meaning for each in found] == [Meaning.NHS_NUMBER, Meaning.POSTCODE, None]
    assert {each.confidence for each in found[:2]} == {Confidence.LIKELY}
    wrong = guess(["Number 2"], [["9990000019"], ["1234567890"], ["0000000001"]])
    assert wrong[0].meaning is None


def test_a_guess_says_how_sure_it_is() -> None:
    said = {
        cells: guess(["DOB"], [[cell] for cell in cells])[0].confidence
        for cells in (("4/5/2012", "2011-03-02", "March 2010"), ("4/5/2012", "old"), ("old", "young"))
    }
    assert list(said.values()) == [Confidence.SURE, Confidence.LIKELY, Confidence.DOUBTFUL]


def test_of_two_columns_that_seem_the_same_the_one_whose_values_fit_has_the_meaning() -> None:
    found = guess(["NHS number", "NHS no"], [["n/a", number] for number in NUMBERS])
    assert [each.meaning for each in found] == [None, Meaning.NHS_NUMBER]


def test_titles_above_the_header_are_passed_over() -> None:
    assert header_at([["Members 2026", "", ""], ["Name", "Born", "Worker"], ["Zoë Ng", "", ""]]) == 1
    assert header_at([["Name"], ["Zoë Ng"]]) == 0
    assert header_at([]) == 0


@pytest.mark.parametrize(
    ("meanings", "service", "problem"),
    [
        ({Meaning.FULL_NAME, Meaning.WORKER}, False, ""),
        ({Meaning.GIVEN_NAME}, True, ""),
        ({Meaning.BIRTH_DATE, Meaning.WORKER}, False, "name"),
        ({Meaning.FULL_NAME, Meaning.FAMILY_NAME, Meaning.WORKER}, False, "two-names"),
        ({Meaning.FULL_NAME}, False, "worker"),
    ],
)
def test_columns_without_which_nothing_can_be_stored_are_asked_for(
    meanings: set[Meaning], service: bool, problem: str
) -> None:
    assert problem_with(meanings, service=service) == problem


def test_a_row_is_known_again_however_its_date_and_name_are_written() -> None:
    typed = {Meaning.FULL_NAME: "Zoë  Ng", Meaning.BIRTH_DATE: "2/3/2012"}
    cell = {Meaning.FULL_NAME: "zoë ng ", Meaning.BIRTH_DATE: "2012-03-02"}
    assert record_key(typed) == record_key(cell)
    assert record_key(typed) != record_key({**typed, Meaning.BIRTH_DATE: "3/3/2012"})
    assert record_key({**typed, Meaning.KEY: "A7"}) == record_key({Meaning.FULL_NAME: "Ng", Meaning.KEY: " a7"})
    with pytest.raises(Unusable):
        record_key({Meaning.POSTCODE: "EX4 4QJ"})


def test_the_mapping_of_all_columns_makes_a_client_a_worker_and_their_work() -> None:
    meanings = set(Meaning) - {Meaning.GIVEN_NAME, Meaning.FAMILY_NAME}
    row = dict.fromkeys((*Meaning, *COMPUTED), "") | {
        "record": "h-1",
        "full_name": "NG, Zoë",
        "birth_date": "2 March 2012",
        "postcode": "ex44qj",
        "nhs_number": "999 000 0018",
        "worker": "Ada Quill",
        "worker_phone": "07700900301",
        "worker_email": "ada@example.org",
        "worker_key": "w1",
        "worker_new": "yes",
        "service_key": "pages:club",
        "role": "Mentor",
        "start": "01/02/2026",
        "sensitivity": "R",
    }
    made, issues = Mapper(read(mapping_of(meanings), "list")).apply("row", row)
    assert issues == []
    person, work, worker = made
    assert isinstance(person, Person)
    assert isinstance(work, Involvement)
    assert isinstance(worker, Practitioner)
    assert (person.birth_date, person.addresses[0].postcode, person.identifiers[0].value) == (
        "2012-03-02",
        "EX4 4QJ",
        "9990000018",
    )
    assert (work.practitioner_key, work.service_key, work.start, work.sensitivity) == (
        "w1",
        "pages:club",
        "2026-02-01",
        "R",
    )
    assert [point.value for point in worker.contact_points] == ["07700 900301", "ada@example.org"]
    assert {each.name for each in fields(Person)} >= {"key", "names"}


@pytest.mark.parametrize(
    "meanings", [{Meaning.GIVEN_NAME}, {Meaning.FAMILY_NAME, Meaning.GIVEN_NAME}, {Meaning.FULL_NAME}]
)
def test_each_choice_of_name_columns_is_a_mapping_that_can_be_read(meanings: set[Meaning]) -> None:
    row = dict.fromkeys((*Meaning, *COMPUTED), "x") | {"service_key": "s", "sensitivity": "N"}
    made, _ = Mapper(read(mapping_of(meanings), "list")).apply("row", row)
    assert isinstance(made[0], Person)
