"""Each export goes through its own connector and mapping without a loss: nobody and nothing is left behind."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache

import pytest

from connectors.contract import SourceRecord
from connectors.registry import build
from gateway.demo.exports import EXPORTS
from gateway.demo.questions import QUESTIONS
from gateway.demo.registers import Register, registers
from mappings.engine import Mapper, MappingIssue
from mappings.model import ConsentStatement, ContactEvent, Involvement, Mapped, Person, Practitioner
from mappings.spec import load

MAPPINGS = {member: f"demo_{member.replace('-', '_')}" for member in EXPORTS}
# The sheet and the tenancies know a person by what they write of them, so two of one name and birth date are one.
MOST_MERGED = {"food-bank": 40}


@cache
def drawn() -> dict[str, Register]:
    """What each agency knows, drawn once."""
    return {register.member: register for register in registers(date(2026, 11, 22))}


@dataclass(frozen=True, kw_only=True)
class Export:
    """All that is read of one agency's export: objects, issues, and how many records the connector refused."""

    member: str
    objects: list[Mapped]
    issues: list[MappingIssue]
    rejected: int


@pytest.fixture(scope="module", params=EXPORTS)
def export(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Export:
    """Each agency's, read once for all tests."""
    member: str = request.param
    path = tmp_path_factory.mktemp(member) / "export"
    EXPORTS[member](drawn()[member], path)
    spec = load(MAPPINGS[member])
    mapper = Mapper(spec)
    options = {"url": f"sqlite:///{path}"} if spec.connector == "sql" else {"path": str(path)}
    source = build(spec.connector, {**spec.options, **options}, expects=spec.columns)
    objects: list[Mapped] = []
    issues: list[MappingIssue] = []
    rejected = 0
    for found in source.records(None):
        if isinstance(found, SourceRecord):
            made, wrong = mapper.apply(found.kind, found.fields)
            objects += made
            issues += wrong
        elif type(found).__name__ == "Rejected":
            rejected += 1
    return Export(member=member, objects=objects, issues=issues, rejected=rejected)


def test_an_export_maps_without_loss(export: Export) -> None:
    objects, register = export.objects, drawn()[export.member]
    keys = Counter(type(each) for each in {(type(each), each.key): each for each in objects}.values())
    merged = MOST_MERGED.get(export.member, 0)
    assert export.rejected == 0
    assert Counter(f"{issue.field}: {issue.reason}" for issue in export.issues) == {}
    assert len(register.clients) - merged <= keys[Person] <= len(register.clients)
    assert len(register.involvements) - merged <= keys[Involvement] <= len(register.involvements)
    assert keys[Practitioner] == len({involved.worker for involved in register.involvements})
    assert keys[ContactEvent] > len(register.clients) / 2
    people = {each.key for each in objects if isinstance(each, Person)}
    assert {each.person_key for each in objects if isinstance(each, Involvement)} == people


def test_the_people_of_the_questions_are_in_it(export: Export) -> None:
    objects, member = export.objects, export.member
    people = [each for each in objects if isinstance(each, Person)]
    planted = [record for question in QUESTIONS for record in question.records if record.member == member]
    for record in planted:
        (person,) = [each for each in people if each.names[0].family.lower() == record.family.lower()]
        assert person.birth_date == record.birth_date
        assert person.addresses[0].postcode.replace(" ", "") == record.postcode.replace(" ", "")
        assert [each.value for each in person.identifiers] == ([record.nhs_number] if record.nhs_number else [])
        said = [each.permit for each in objects if isinstance(each, ConsentStatement) and each.person_key == person.key]
        assert said == ([] if record.consent is None else [record.consent])


def test_who_is_away_is_covered_by_somebody_who_is_not(export: Export) -> None:
    workers = {each.key: each for each in export.objects if isinstance(each, Practitioner)}
    away = [each for each in workers.values() if each.away_until]
    assert all(each.working_pattern for each in workers.values()) is (export.member != "housing")
    assert bool(away) is (export.member in {"childrens-services", "community-trust"})
    assert all(workers[each.cover_key].away_until is None for each in away if each.cover_key)
    assert all(each.cover_key for each in away)
