"""disclose(): what each mode shows, what leaves no trace, and what is cut."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from gateway.node.disclose import disclose
from gateway.node.merge import TeamRow, rows_of
from gateway.node.team import Team, TeamMember
from gateway.wire.answer import NOTHING_TO_DISCLOSE, Disclosure, deflate_to_fit
from mappings.model import MAX_FREE_TEXT, MAX_TEXT, ContactEvent, HumanName, Identifier, Organisation, Practitioner
from mappings.vocabulary import ODS_SYSTEM, MatchGrade, Mode
from tests.fhir.teams import (
    AWAY,
    HEALTH_VISITOR,
    JTI,
    NOW,
    SCHOOL_NURSE,
    SEXUAL_HEALTH,
    SPECIMEN,
    TRUST,
    crowd,
    disclosed,
    permit,
    team,
)

ASKED: Final[Any] = {
    "jti": JTI,
    "grade": MatchGrade.CERTAIN,
    "policy_uri": "https://agreements.example.org/southshire",
    "policy_version": "1",
    "now": NOW,
}


def _bundle(whole: Team, modes: dict[int, Mode]) -> Disclosure:
    answer = disclosed(whole, modes)
    assert isinstance(answer, Disclosure)
    return answer


def _types(answer: Disclosure) -> list[str]:
    return sorted(entry["resource"]["resourceType"] for entry in json.loads(answer.bundle)["entry"])


def test_no_permit_discloses_nothing() -> None:
    assert disclosed(team(HEALTH_VISITOR), {}) is NOTHING_TO_DISCLOSE


@pytest.mark.parametrize("grade", [MatchGrade.POSSIBLE, MatchGrade.CERTAINLY_NOT])
def test_doubtful_match_discloses_nothing(grade: MatchGrade) -> None:
    assert disclosed(team(HEALTH_VISITOR), {0: Mode.SCHEDULE}, grade=grade) is NOTHING_TO_DISCLOSE


@pytest.mark.parametrize("modes", [{}, {1: Mode.CALLBACK}])
def test_withheld_involvement_leaves_the_answer_as_if_it_did_not_exist(modes: dict[int, Mode]) -> None:
    alone = _bundle(team(HEALTH_VISITOR), {0: Mode.SCHEDULE})
    beside = _bundle(team(HEALTH_VISITOR, SEXUAL_HEALTH), {0: Mode.SCHEDULE, **modes})
    assert beside == alone


def test_the_rule_of_a_withheld_involvement_is_not_named() -> None:
    permits = [(0, permit(Mode.CALLBACK, "call-back")), (1, permit(Mode.DUTY_CONTACT, "duty"))]
    whole = team(SEXUAL_HEALTH, SCHOOL_NURSE)
    answer = disclose(whole, permits, member=TRUST, **ASKED)
    assert isinstance(answer, Disclosure)
    assert answer.rule == "duty"


def test_duty_contact_shows_no_person_role_date_or_lead() -> None:
    answer = _bundle(team(HEALTH_VISITOR), {0: Mode.DUTY_CONTACT})
    assert _types(answer) == [
        "CareTeam", "HealthcareService", "Organization", "Organization", "Patient", "PractitionerRole",
    ]  # fmt: skip
    for secret in (b"Specimen", b"Sam", b"07700", b"visitor", b"2026-01-05", b"PPRF", b"2026-11-12", b"2026-12-03"):
        assert secret not in answer.bundle


def test_duty_contacts_of_one_service_are_told_once_whoever_is_behind_them() -> None:
    colleague = replace(SCHOOL_NURSE, service=HEALTH_VISITOR.service, organisation=HEALTH_VISITOR.organisation)
    one = _bundle(team(HEALTH_VISITOR), {0: Mode.DUTY_CONTACT})
    both = _bundle(team(HEALTH_VISITOR, colleague), {0: Mode.DUTY_CONTACT, 1: Mode.DUTY_CONTACT})
    assert both == one


def test_the_order_of_duty_contacts_does_not_tell_which_is_the_leads() -> None:
    modes = {0: Mode.DUTY_CONTACT, 1: Mode.DUTY_CONTACT}
    assert _bundle(team(HEALTH_VISITOR, SCHOOL_NURSE), modes) == _bundle(team(SCHOOL_NURSE, HEALTH_VISITOR), modes)


def test_practitioner_mode_names_the_person_but_no_contact_dates() -> None:
    answer = _bundle(team(HEALTH_VISITOR), {0: Mode.PRACTITIONER})
    assert "Practitioner" in _types(answer)
    assert not {"Encounter", "Appointment"} & set(_types(answer))
    assert b"2026-11-12" not in answer.bundle


def test_schedule_mode_tells_the_last_contact_and_the_next_visit() -> None:
    (row,) = rows_of(TRUST, _bundle(team(HEALTH_VISITOR), {0: Mode.SCHEDULE}).bundle)
    assert (row.last_contact.date, row.last_contact.kind) == ("2026-11-12", "home-visit") if row.last_contact else False
    assert (row.next_visit.date, row.next_visit.kind) == ("2026-12-03", "clinic") if row.next_visit else False


def test_contact_of_a_practitioner_with_two_involvements_is_told_once() -> None:
    both = team(HEALTH_VISITOR, replace(HEALTH_VISITOR, service=SCHOOL_NURSE.service))
    answer = _bundle(both, {0: Mode.SCHEDULE, 1: Mode.SCHEDULE})
    assert (_types(answer).count("Encounter"), _types(answer).count("Practitioner")) == (1, 1)
    assert len(rows_of(TRUST, answer.bundle)) == 2


def test_of_many_contacts_and_visits_the_last_and_the_nearest_are_told() -> None:
    dates = {"2026-10-01": False, "2026-11-14": False, "2026-11-02": False, "2027-01-09": True, "2026-12-04": True}
    events = [
        ContactEvent(key=day, person_key="c-1", kind="office", date=day, planned=planned)
        for day, planned in dates.items()
    ]
    for order in (events, events[::-1]):
        answer = _bundle(team(replace(HEALTH_VISITOR, contact_events=tuple(order))), {0: Mode.SCHEDULE})
        (row,) = rows_of(TRUST, answer.bundle)
        assert row.last_contact is not None
        assert row.next_visit is not None
        assert (row.last_contact.date, row.next_visit.date) == ("2026-11-14", "2026-12-04")


def _row(member: TeamMember, mode: Mode = Mode.PRACTITIONER) -> TeamRow:
    (row,) = rows_of(TRUST, _bundle(team(member), {0: mode}).bundle)
    return row


def _away(**changes: Any) -> TeamMember:
    assert AWAY.practitioner is not None
    return replace(AWAY, practitioner=replace(AWAY.practitioner, **changes))


def _covered_by(**changes: Any) -> TeamMember:
    assert AWAY.cover is not None
    return replace(AWAY, cover=replace(AWAY.cover, **changes))


def test_hours_absence_and_cover_come_with_the_name_and_never_without() -> None:
    assert _row(AWAY).cover is not None
    assert _row(AWAY).last_confirmed == "2026-11-01"
    assert _bundle(team(AWAY), {0: Mode.DUTY_CONTACT}) == _bundle(team(HEALTH_VISITOR), {0: Mode.DUTY_CONTACT})


def test_protected_name_takes_hours_absence_and_cover_with_it() -> None:
    answer = _bundle(team(_away(name=replace(SPECIMEN.name, protected=True))), {0: Mode.SCHEDULE})
    assert answer == _bundle(team(HEALTH_VISITOR), {0: Mode.DUTY_CONTACT})


@pytest.mark.parametrize(
    ("until", "shown"),
    [("2026-11-21", None), ("2026-11-22", "2026-11-22"), ("2026-10", None), ("2026-11", "2026-11"), ("2026", "2026")],
)
def test_absence_is_told_to_the_end_of_its_last_day_month_or_year(until: str, shown: str | None) -> None:
    row = _row(_away(away_until=until))
    assert row.away_until == shown
    assert (row.cover is not None) is (shown is not None)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": HumanName(family="Example-Muster", protected=True)},
        {"name": HumanName()},
        {"away_until": "2026-11-22"},
    ],
    ids=["protected", "nameless", "away too"],
)
def test_cover_who_may_not_be_named_or_is_away_too_is_not_told(changes: dict[str, Any]) -> None:
    row = _row(_covered_by(**changes))
    assert (row.away_until, row.cover) == ("2026-12-04", None)
    assert b"Example-Muster" not in _bundle(team(_covered_by(**changes)), {0: Mode.SCHEDULE}).bundle


def test_cover_who_is_in_the_team_as_well_is_one_practitioner() -> None:
    answer = _bundle(team(AWAY, replace(SCHOOL_NURSE, practitioner=AWAY.cover)), dict.fromkeys((0, 1), Mode.SCHEDULE))
    assert _types(answer).count("Practitioner") == 2
    assert len(rows_of(TRUST, answer.bundle)) == 2


def test_long_working_pattern_is_shortened_and_shows_that_it_is() -> None:
    row = _row(_away(working_pattern="Mon " * (MAX_FREE_TEXT // 4)))
    assert MAX_TEXT - 2 < len(row.working_pattern) <= MAX_TEXT
    assert row.working_pattern.endswith("Mon…")


def test_a_large_team_that_is_all_away_still_fits() -> None:
    whole = crowd(60)
    away = team(*(_on_leave(each, whole.involvements[-1].practitioner) for each in whole.involvements))
    answer = _bundle(away, dict.fromkeys(range(60), Mode.PRACTITIONER))
    rows = rows_of(TRUST, answer.bundle)
    assert answer.truncated
    assert answer.deflated == deflate_to_fit(answer.bundle) is not None
    assert sum(row.cover is not None for row in rows) > 10


def _on_leave(member: TeamMember, cover: Practitioner | None) -> TeamMember:
    assert member.practitioner is not None
    away = replace(member.practitioner, working_pattern=f"Mon-Thu, room {member.involvement_id}", away_until="2027")
    return replace(member, practitioner=away, cover=cover)


def test_planned_visits_that_passed_and_contacts_to_come_are_not_told() -> None:
    stale = (
        ContactEvent(key="e-8", person_key="c-1", kind="office", date="2026-11-20", planned=True),
        ContactEvent(key="e-9", person_key="c-1", kind="office", date="2026-11-30"),
    )
    answer = _bundle(team(replace(HEALTH_VISITOR, contact_events=stale)), {0: Mode.SCHEDULE})
    assert not {"Encounter", "Appointment"} & set(_types(answer))


def test_partial_dates_count_to_the_precision_that_they_have() -> None:
    events = (
        ContactEvent(key="e-8", person_key="c-1", kind="office", date="2026-11", planned=True),
        ContactEvent(key="e-9", person_key="c-1", kind="office", date="2026"),
    )
    answer = _bundle(team(replace(HEALTH_VISITOR, contact_events=events)), {0: Mode.SCHEDULE})
    assert {"Encounter", "Appointment"} < set(_types(answer))


@pytest.mark.parametrize("name", [replace(SPECIMEN.name, protected=True), HumanName()])
def test_practitioner_whose_name_may_not_be_shown_is_a_duty_contact(name: HumanName) -> None:
    unnamed = replace(HEALTH_VISITOR, practitioner=replace(SPECIMEN, name=name))
    assert _bundle(team(unnamed), {0: Mode.SCHEDULE}) == _bundle(team(HEALTH_VISITOR), {0: Mode.DUTY_CONTACT})


def test_protected_identifiers_of_an_organisation_are_not_told() -> None:
    shielded = Organisation(
        key="o", name="Refuge", identifiers=(Identifier(system=ODS_SYSTEM, value="SECRET1", protected=True),)
    )
    answer = _bundle(team(replace(HEALTH_VISITOR, organisation=shielded)), {0: Mode.SCHEDULE})
    assert b"SECRET1" not in answer.bundle


def test_the_agency_itself_in_a_source_is_no_part_of_itself() -> None:
    itself = Organisation(key="own", name="The Trust", identifiers=(Identifier(system=ODS_SYSTEM, value="ZZ9"),))
    answer = _bundle(team(replace(SCHOOL_NURSE, organisation=itself)), {0: Mode.PRACTITIONER})
    assert _types(answer).count("Organization") == 1
    assert b"01632 960300" in answer.bundle  # the duty contact of the federation document


def test_nothing_of_stored_rows_is_in_the_ids() -> None:
    text = _bundle(team(HEALTH_VISITOR, SCHOOL_NURSE), {0: Mode.SCHEDULE, 1: Mode.SCHEDULE}).bundle.decode()
    for key in ("p-1", "i-1", "svc-1", "org-7", "c-1", "4711", "e-1"):
        assert f'"{key}"' not in text


def test_two_members_give_their_resources_different_ids() -> None:
    whole, permits = team(SCHOOL_NURSE), [(0, permit(Mode.PRACTITIONER))]
    ids = []
    for member in (TRUST, replace(TRUST, id="other-trust")):
        answer = disclose(
            whole,
            permits,
            member=member,
            jti=JTI,
            grade=MatchGrade.CERTAIN,
            policy_uri="u",
            policy_version="1",
            now=NOW,
        )
        assert isinstance(answer, Disclosure)
        ids.append({entry["resource"]["id"] for entry in json.loads(answer.bundle)["entry"]})
    assert ids[0] & ids[1] == {JTI}


def test_leads_come_first_whatever_order_their_permits_have() -> None:
    rows = rows_of(TRUST, _bundle(team(SCHOOL_NURSE, HEALTH_VISITOR), {0: Mode.SCHEDULE, 1: Mode.SCHEDULE}).bundle)
    assert [row.professional for row in rows] == ["Sam Specimen", "Jo Ann Example-Muster"]


def test_large_team_is_cut_to_leads_first_and_the_rest_become_duty_contacts() -> None:
    answer = _bundle(crowd(60), dict.fromkeys(range(60), Mode.PRACTITIONER))
    rows = rows_of(TRUST, answer.bundle)
    named = [row for row in rows if row.professional]
    assert answer.truncated
    assert answer.deflated == deflate_to_fit(answer.bundle) is not None
    assert rows[0].lead
    assert 15 < len(named) < 60
    assert {row.service for row in rows if not row.professional} == {row.service for row in named}


def test_team_of_many_places_still_fits() -> None:
    places = tuple(
        TeamMember(
            involvement_id=each.involvement_id,
            involvement=each.involvement,
            organisation=Organisation(key=f"o-{index}", name=f"{each.practitioner.name.family} " * 12),
        )
        for index, each in enumerate(crowd(150).involvements)
        if each.practitioner is not None
    )
    answer = _bundle(team(*places), dict.fromkeys(range(150), Mode.DUTY_CONTACT))
    assert answer.truncated
    assert answer.deflated == deflate_to_fit(answer.bundle) is not None
    assert len(rows_of(TRUST, answer.bundle)) > 20
