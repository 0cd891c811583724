"""What the results page shows of what is known so far: how sure, by whom, and without moving what stands there."""

from dataclasses import replace

import pytest

from gateway.node.merge import TeamRow
from gateway.node.results import NO_SEALING_KEY, Asked, MemberOutcome, MemberResult
from gateway.web.result_view import State, agency_lines, is_vague, summary, team_groups
from gateway.wire.federation import Member
from gateway.wire.query import NameParts, Subject
from mappings.vocabulary import MatchGrade, OrganisationType, Sector

NHS = (("https://fhir.nhs.uk/Id/nhs-number", "9990000018"),)


def member(name: str, *, phone: str = "01632 960000") -> Member:
    return Member(
        id=name.lower(),
        identifier=(),
        name=name,
        type=OrganisationType.HOUSING,
        sector=Sector.STATUTORY,
        status="active",
        keys=(),
        ledger_key={},
        endpoint=None,
        duty_contact=(("phone", phone),),
    )


def result(name: str, *grades: MatchGrade, outcome: MemberOutcome = MemberOutcome.TEAMS) -> MemberResult:
    rows = tuple(
        TeamRow(
            member=name.lower(),
            agency=name,
            organisation="",
            professional=f"{grade} {name}",
            role="",
            service="",
            contact_points=(),
            working_pattern="",
            since=None,
            until=None,
            lead=False,
            last_contact=None,
            next_visit=None,
            away_until=None,
            cover=None,
            last_confirmed=None,
            grade=grade,
        )
        for grade in grades
    )
    return MemberResult(member=member(name), outcome=outcome, rows=rows)


def shown(results: list[MemberResult], seen: int = 0) -> list[tuple[bool, list[str]]]:
    groups = team_groups(list(enumerate(results))[seen:])
    return [(group.certain, [person.place for team in group.teams for person in team.people]) for group in groups]


def test_whom_an_agency_is_certain_of_comes_first_and_agencies_go_by_name() -> None:
    results = [
        result("Police", MatchGrade.PROBABLE),
        result("housing", MatchGrade.CERTAIN, MatchGrade.PROBABLE),
        result("Council", MatchGrade.CERTAIN),
    ]
    assert shown(results) == [(True, ["2-0", "1-0"]), (False, ["1-1", "0-0"])]


def test_what_comes_later_is_told_alone_and_keeps_the_place_that_it_has_on_the_whole_page() -> None:
    results = [result("Police", MatchGrade.PROBABLE), result("Council", MatchGrade.CERTAIN)]
    assert shown(results, seen=1) == [(True, ["1-0"])]


@pytest.mark.parametrize("grade", [MatchGrade.POSSIBLE, MatchGrade.CERTAINLY_NOT])
def test_what_an_agency_does_not_vouch_for_never_looks_certain(grade: MatchGrade) -> None:
    (group,) = team_groups([(0, result("Police", grade))])
    assert not group.certain
    assert group.teams[0].people[0].doubtful


def test_an_agencys_line_stays_in_its_place_whatever_becomes_known() -> None:
    asked = Asked(jti="j", agreement="a", members=(member("Police"), member("council"), member("Housing")))
    results = [
        result("Police", MatchGrade.CERTAIN),
        replace(result("Housing", outcome=MemberOutcome.NOT_TRIED), reason=NO_SEALING_KEY),
    ]
    places = [
        [(line.number, line.name) for line in agency_lines(asked, results[:known], over=over)]
        for known, over in ((0, False), (1, False), (2, True))
    ]
    assert places[0] == places[1] == places[2] == [(0, "council"), (1, "Housing"), (2, "Police")]
    council, housing, police = agency_lines(asked, results, over=True, expired={"police"})
    assert (council.state, council.said) == (State.SILENT, "did not answer")
    assert (housing.state, housing.said) == (State.SILENT, "was not asked: it has not published its keys yet")
    assert [way.href for way in housing.duty] == ["tel:01632960000"]
    assert (police.state, police.duty) == (State.EXPIRED, ())


def test_everybody_who_has_not_been_heard_is_counted() -> None:
    asked = Asked(jti="j", agreement="a", members=(member("Police"), member("Council"), member("Housing")))
    results = [result("Police", MatchGrade.CERTAIN), result("Council", outcome=MemberOutcome.TIMEOUT)]
    early, late = (summary(asked, results, over=over) for over in (False, True))
    assert (early.answered, early.silent, early.waiting, early.found) == (1, 1, 1, 1)
    assert (late.answered, late.silent, late.waiting) == (1, 2, 0)


@pytest.mark.parametrize(
    ("subject", "vague"),
    [
        (Subject(names=(NameParts(text="Kate"),), birth_date="1991-05-17"), False),
        (Subject(names=(NameParts(text="Kate"),), identifiers=NHS), False),
        (Subject(birth_date="1991-05-17", identifiers=NHS), False),
        (Subject(names=(NameParts(text="Kate"),), birth_date="1991"), True),
        (Subject(names=(NameParts(text="Kate"),), age=35, postcode="ZM4 7QT"), True),
        (Subject(names=(NameParts(text="Kate"),)), True),
    ],
)
def test_only_a_full_birth_date_or_a_number_is_not_vague(subject: Subject, vague: bool) -> None:
    assert is_vague(subject) is vague
