"""Each export goes through its own connector and mapping without a loss: nobody and nothing is left behind."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from connectors.contract import SourceRecord
from connectors.registry import build
from gateway.demo.exports import EXPORTS
from gateway.demo.questions import QUESTIONS
from gateway.demo.registers import registers
from mappings.engine import MappingIssue, apply
from mappings.model import ConsentStatement, ContactEvent, Involvement, Mapped, Person, Practitioner
from mappings.spec import load

MAPPINGS = {member: f"demo_{member.replace('-', '_')}" for member in EXPORTS}
REGISTERS = {register.member: register for register in registers(date(2026, 11, 22))}
# The sheet and the tenancies know a person by what they write of them, so two of one name and birth date are one.
MOST_MERGED = {"food-bank": 40}


def read(member: str, path: Path) -> tuple[list[Mapped], list[MappingIssue], int]:
    """All objects, issues, and the number of records that the connector refused."""
    EXPORTS[member](REGISTERS[member], path)
    spec = load(MAPPINGS[member])
    options = {"url": f"sqlite:///{path}"} if spec.connector == "sql" else {"path": str(path)}
    source = build(spec.connector, {**spec.options, **options}, expects=spec.columns)
    objects: list[Mapped] = []
    issues: list[MappingIssue] = []
    rejected = 0
    for found in source.records(None):
        if isinstance(found, SourceRecord):
            made, wrong = apply(spec, found.kind, found.fields)
            objects += made
            issues += wrong
        elif type(found).__name__ == "Rejected":
            rejected += 1
    return objects, issues, rejected


@pytest.mark.parametrize("member", EXPORTS)
def test_an_export_maps_without_loss(member: str, tmp_path: Path) -> None:
    objects, issues, rejected = read(member, tmp_path / "export")
    register = REGISTERS[member]
    keys = Counter(type(each) for each in {(type(each), each.key): each for each in objects}.values())
    merged = MOST_MERGED.get(member, 0)
    assert rejected == 0
    assert Counter(f"{issue.field}: {issue.reason}" for issue in issues) == {}
    assert len(register.clients) - merged <= keys[Person] <= len(register.clients)
    assert len(register.involvements) - merged <= keys[Involvement] <= len(register.involvements)
    assert keys[Practitioner] == len({involved.worker for involved in register.involvements})
    assert keys[ContactEvent] > len(register.clients) / 2
    people = {each.key for each in objects if isinstance(each, Person)}
    assert {each.person_key for each in objects if isinstance(each, Involvement)} == people


@pytest.mark.parametrize("member", EXPORTS)
def test_the_people_of_the_questions_are_in_it(member: str, tmp_path: Path) -> None:
    objects, _, _ = read(member, tmp_path / "export")
    people = [each for each in objects if isinstance(each, Person)]
    planted = [record for question in QUESTIONS for record in question.records if record.member == member]
    for record in planted:
        (person,) = [each for each in people if each.names[0].family.lower() == record.family.lower()]
        assert person.birth_date == record.birth_date
        assert person.addresses[0].postcode.replace(" ", "") == record.postcode.replace(" ", "")
        assert [each.value for each in person.identifiers] == ([record.nhs_number] if record.nhs_number else [])
        said = [each.permit for each in objects if isinstance(each, ConsentStatement) and each.person_key == person.key]
        assert said == ([] if record.consent is None else [record.consent])
