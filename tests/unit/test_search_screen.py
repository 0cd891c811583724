"""What a search shows on a terminal that is narrow."""

import io
from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console

from gateway.cli.table import Progress
from gateway.node.question import read_subject
from gateway.node.results import MemberOutcome, MemberResult
from mappings.model import ContactPoint
from tests.fhir.teams import TRUST
from tests.fhir.test_merge import HEALTH_VISITOR

LONG = replace(
    HEALTH_VISITOR,
    contact_points=(
        *HEALTH_VISITOR.contact_points,
        ContactPoint(system="email", value="sam.specimen@childrens.community.trust.example.org"),
    ),
)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_an_address_that_fits_the_screen_is_never_broken(width: int) -> None:
    address = "jennifer.varley10@example.org"
    points = (ContactPoint(system="phone", value="07700 900123"), ContactPoint(system="email", value=address))
    progress = Progress(read_subject("Kate Bramley", born="1991-05-17", postcode="", nhs="", today=date(2026, 11, 23)))
    row = replace(HEALTH_VISITOR, contact_points=points)
    progress.take(MemberResult(member=TRUST, outcome=MemberOutcome.TEAMS, rows=(row,)))
    screen = io.StringIO()
    Console(file=screen, width=width).print(progress)
    assert address in screen.getvalue()


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("row", [HEALTH_VISITOR, LONG], ids=["usual", "long address"])
def test_the_table_keeps_its_right_border_and_its_numbers_whole(row: object, width: int) -> None:
    progress = Progress(read_subject("Kate Bramley", born="1991-05-17", postcode="", nhs="", today=date(2026, 11, 23)))
    progress.take(MemberResult(member=TRUST, outcome=MemberOutcome.TEAMS, rows=(row,)))  # type: ignore[arg-type]
    screen = io.StringIO()
    Console(file=screen, width=width).print(progress)
    lines = [line for line in screen.getvalue().splitlines() if line[:1] in "┏┃┡│├└" and line]
    assert lines
    assert {line[-1] for line in lines} <= set("┓┃┩│┤┘")
    assert "07700 900123" in screen.getvalue()
