"""What `patchwork search` prints of one row: hours, absence, cover and how fresh it is."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from gateway.cli.table import Progress, as_json
from gateway.fhir.reader import Cover
from gateway.node.merge import TeamRow
from gateway.node.results import Asked, Completed, MemberOutcome, MemberResult
from gateway.wire.query import NameParts, Subject
from mappings.model import ContactPoint
from mappings.vocabulary import MatchGrade
from tests.fhir.teams import TRUST

ROW = TeamRow(
    member=TRUST.id,
    agency=TRUST.name,
    organisation="",
    professional="Sam Specimen",
    role="Health visitor",
    service="Health visiting",
    contact_points=(ContactPoint(system="phone", value="01632 960312"),),
    working_pattern="Mon, Wed 9-1",
    away_until="2026-12-04",
    cover=Cover(
        professional="Jo Example",
        role="School nurse",
        contact_points=(ContactPoint(system="sms", value="07700 900456", use="mobile"),),
    ),
    since="2026-01-05",
    until=None,
    last_confirmed="2026-11-01",
    lead=True,
    last_contact=None,
    next_visit=None,
    grade=MatchGrade.CERTAIN,
)
SUBJECT = Subject(
    names=(NameParts(given=("Ada",), family="Quillfeather", text=""),),
    birth_date=None,
    age=None,
    postcode="",
    identifiers=(),
)


def completed(row: TeamRow) -> Completed:
    result = MemberResult(member=TRUST, outcome=MemberOutcome.TEAMS, rows=(row,))
    return Completed(jti="j", results=(result,), coverage_agrees=True)


def printed(row: TeamRow, width: int) -> str:
    return printed_all((row,), width)


def printed_all(rows: tuple[TeamRow, ...], width: int) -> str:
    progress = Progress(SUBJECT)
    progress.take(Asked(jti="j", agreement="a", members=(TRUST,)))
    progress.take(MemberResult(member=TRUST, outcome=MemberOutcome.TEAMS, rows=rows))
    screen = io.StringIO()
    Console(file=screen, width=width).print(progress)
    return screen.getvalue()


def in_order(screen: str, *texts: str) -> bool:
    places = [screen.find(text) for text in texts]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize("width", [80, 160])
def test_who_stands_in_comes_before_who_is_away(width: int) -> None:
    screen = printed(ROW, width)
    assert in_order(screen, "away until", "2026-12-04", "Jo Example", "covers:", "text 07700 900456", "01632 960312")
    assert in_order(screen, "2026-01-05", "confirmed")
    assert "works Mon" in screen


def test_absence_without_cover_is_told_beside_their_own_number() -> None:
    screen = printed(replace(ROW, cover=None), 160)
    assert in_order(screen, "away until 2026-12-04", "01632 960312")
    assert "covers" not in screen
    assert "their own" not in screen


def test_cover_without_absence_is_not_shown() -> None:
    assert "Jo Example" not in printed(replace(ROW, away_until=None), 160)


def test_a_match_that_is_only_probable_is_marked_at_the_agency_and_below() -> None:
    screen = " ".join(printed(replace(ROW, grade=MatchGrade.PROBABLE), 160).split())
    assert "(probably this person:" in screen
    assert f"? {TRUST.name} probably works with this person: check before you share" in screen
    assert "✓" not in screen
    assert "probably" not in printed(ROW, 160)


def test_an_agency_that_is_certain_of_one_of_two_people_is_marked_at_the_other_only() -> None:
    screen = printed_all((ROW, replace(ROW, professional="Jo Second", grade=MatchGrade.PROBABLE)), 160)
    assert in_order(screen, "Sam Specimen", "Jo Second", "(probably", f"✓ {TRUST.name} works with")


def test_markup_in_hours_and_cover_is_not_obeyed() -> None:
    assert ROW.cover is not None
    screen = printed(replace(ROW, working_pattern="[red]Mon", cover=replace(ROW.cover, professional="[b]Jo")), 160)
    assert "[red]Mon" in screen
    assert "[b]Jo covers:" in screen


def test_json_has_hours_absence_cover_and_confirmation() -> None:
    (team,) = [member["team"] for member in json.loads(as_json(completed(ROW)))["members"]]
    assert team[0]["working_pattern"] == "Mon, Wed 9-1"
    assert team[0]["away_until"] == "2026-12-04"
    assert team[0]["cover"] == {
        "professional": "Jo Example",
        "role": "School nurse",
        "contact_points": [{"system": "sms", "value": "07700 900456", "use": "mobile", "rank": 1}],
    }
    assert team[0]["last_confirmed"] == "2026-11-01"
