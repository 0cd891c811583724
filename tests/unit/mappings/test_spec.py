"""Errors in mappings and value sets name the file, the place and the key."""

from dataclasses import fields
from pathlib import Path

import pytest

from mappings import value_sets
from mappings.model import type_names
from mappings.rules import ATTRIBUTES
from mappings.spec import SpecError, load
from tests.unit.mappings.kit import HEAD, PERSON, spec

INVOLVEMENT = """
[[map]]
from = "row"
type = "involvement"
key = ["id"]
person_key = ["id"]
service_key = ["team"]
"""

CODES = INVOLVEMENT + "[value_sets.a]\n"
FIXED = """
[[fixed]]
type = "organisation"
key = "o"
name = "O"
duty_contact = [{ system = "phone", value = "none" }]
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PERSON + "nmaes = []", r"test\.toml: map 1 \(person\): unknown key 'nmaes'; did you mean 'names'\?"),
        (PERSON.replace("names", "name"), r"map 1 \(person\): 'names' is missing"),
        (PERSON.replace('key = ["id"]', ""), r"map 1 \(person\): 'key' is missing"),
        (PERSON.replace('"person"', '"persons"'), r"map 1: unknown type 'persons'"),
        (PERSON.replace('from = "row"', ""), r"map 1 \(person\): 'from' is missing"),
        (PERSON.replace("surname", "sur//name"), r"'sur//name' is not the name of a field"),
        (
            PERSON.replace('family = "surname"', 'famly = "surname"'),
            r"names 1: unknown key 'famly'; did you mean 'family'",
        ),
        (PERSON.replace('family = "surname", given = ["forename"]', 'use = "old"'), r"names 1: give either 'family'"),
        (PERSON.replace('family = "surname"', 'whole = "surname"'), r"names 1: give either 'family'"),
        (PERSON + 'birth_date = "dob"', r"birth_date: 'date' is missing"),
        (PERSON + 'birth_date = { field = "dob", date = "%d/%m/%y" }', r"birth_date: 'date': %y is not supported"),
        (
            PERSON + 'birth_date = { field = "dob", dates = "%Y" }',
            r"birth_date: .*'date' is missing|unknown key 'dates'",
        ),
        (PERSON + 'identifiers = [{ system = "nhs", value = "n" }]', r"identifiers 1: 'system' must be a URI"),
        (PERSON + 'restricted = { field = "r", yes = ["X"], no = ["x"] }', r"restricted: 'x' is both 'yes' and 'no'"),
        (PERSON + "needs = 7", r"'needs' must be a text or a list of texts"),
        (PERSON + 'when = { field = "status" }', r"when: 'in' is missing"),
        (PERSON + "optional = 1", r"'optional' must be true or false"),
        (INVOLVEMENT + 'sensitivity = { constant = "Q" }', r"sensitivity: 'Q' is not one of N, R, V"),
        (INVOLVEMENT + 'sensitivity = "level"', r"sensitivity: 'value_set' is missing"),
        (
            INVOLVEMENT + 'max_mode = { field = "m", value_set = "sensitivity" }',
            r"has target 'sensitivity', not 'mode'",
        ),
        (INVOLVEMENT + 'max_mode = { field = "m", value_set = "modes" }', r"max_mode: there is no value set 'modes'"),
        (CODES + "target = 'text'\n[value_sets.a.codes]", r"value_sets: a: 'codes' is empty"),
        (CODES + "target = 'texts'\ncodes = { A = 'b' }", r"code 'A': unknown target 'texts'"),
        (CODES + "target = 'mode'\ncodes = { A = 'all' }", r"code 'A': 'all' is not one of callback"),
        (CODES + "target = 'text'\ncodes = { A = 'b', a = 'c' }", r"two codes differ only in case"),
        (CODES + "target = 'service'\ncodes = { A = 'plumbing' }", r"'plumbing' is not one of CAMHS"),
        (FIXED + PERSON, r"fixed organisation: organisation\.duty_contact: not a phone number"),
        ("", r"test\.toml: there is no \[\[map\]\]"),
        (PERSON + "[surplus]", r"test\.toml: unknown key 'surplus'"),
        ("this is not TOML", r"test\.toml: .*line 7"),
    ],
)
def test_error_names_the_place_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        spec(tmp_path, text)


def test_missing_source_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"a table \[source\] is missing"):
        spec(tmp_path, PERSON, head='system = "t"\ntitle = "T"\n')


@pytest.mark.parametrize("name", ["nobody", "../demo_police", "", "a b"])
def test_unknown_mapping_is_an_error(name: str) -> None:
    with pytest.raises(SpecError):
        load(name)


def test_missing_file_is_an_error_naming_it(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.toml")


def test_file_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b'title = "Zo\xeb"')
    with pytest.raises(SpecError, match=r"bad\.toml: not UTF-8 at byte 11"):
        load(tmp_path / "bad.toml")


def test_columns_are_the_fields_that_the_mapping_reads(tmp_path: Path) -> None:
    mapping = spec(tmp_path, PERSON + 'needs = ["active"]\nunless = { field = "status", in = ["X"] }\n' + INVOLVEMENT)
    assert mapping.columns == {"row": frozenset({"id", "surname", "forename", "active", "status", "team"})}


def test_source_options_are_handed_on_as_they_stand(tmp_path: Path) -> None:
    mapping = spec(tmp_path, PERSON, head=HEAD + 'separator = ";"\n[source.kinds.row]\nkey = ["id"]\n')
    assert mapping.connector == "delimited"
    assert mapping.options == {"separator": ";", "kinds": {"row": {"key": ["id"]}}}


def test_every_attribute_of_the_model_can_be_mapped_and_no_other() -> None:
    assert set(ATTRIBUTES) == set(type_names)
    for name, attributes in ATTRIBUTES.items():
        written = {"organisation_type": "type"}
        in_model = {field.name for field in fields(type_names[name])}
        assert {written.get(attribute, attribute) for attribute in attributes} - {"preferred_contact"} == in_model


def test_every_value_set_that_is_shipped_can_be_read() -> None:
    names = [path.stem for path in Path(value_sets.__file__).parent.glob("*.toml")]
    assert len(names) >= 6
    for name in names:
        value_set = value_sets.shared(name)
        assert value_set is not None
        assert value_set.codes
