"""My details: what somebody says of how to reach them, and what others then see."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from mappings.model import HumanName, Involvement, Practitioner
from mappings.vocabulary import Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web.around import hidden
from tests.web.clients import TRUST, fill, rae

HOSTILE = "<script>alert(1)</script>\"'"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST, "housing"], web=True) as running:
        await fill(running)
        yield running


async def test_what_i_say_is_what_others_see_and_no_import_takes_it_back(north: TestFederation) -> None:
    wendy = await rae(north)
    page = await wendy.get("/me")
    assert 'value="01632 960123"' in page.text
    said = {
        "system-1": "sms",
        "value-1": "07700 900123",
        "system-3": "email",
        "value-3": "rae@example.org",
        "pattern": "Mon to Wed",
    }
    page = await wendy.post("/me/reach", said, form="/me")
    assert (page.status, page.path) == (200, "/me")
    assert "Others see it from now on" in page.words
    await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", worker="Rae Reception", role="Desk"))
    completed = await north.ask("housing", "Katherine Bramley", born="1991-05-17")
    (row,) = [row for result in completed.results for row in result.rows if row.professional == "Rae Reception"]
    assert [point.value for point in row.contact_points] == ["07700 900123", "rae@example.org"]
    assert row.working_pattern == "Mon to Wed"


async def test_the_preview_shows_what_each_amount_of_disclosure_shows(north: TestFederation) -> None:
    page = await (await rae(north)).get("/me")
    least, _, rest = page.text.partition("only know where to ask")[2].partition('<h3 class="govuk-heading-s">')
    assert "Duty contact" in least
    assert "Rae" not in least
    assert "01632 960100" in least
    assert "Rae Reception" in rest
    assert "01632 960123" in rest


async def test_away_with_somebody_who_stands_in_until_i_am_back(north: TestFederation) -> None:
    wendy = await rae(north)
    text = (await wendy.get("/me")).text
    option = text.partition("Kim Physio, Nurse")[0].rpartition('value="')[2].partition('"')[0]
    away = {"away": "yes", "until-day": "30", "until-month": "9", "until-year": "2026", "cover": option}
    page = await wendy.post("/me/away", away, form="/me")
    assert "Away until 30 September 2026. Kim Physio covers for them." in page.words
    completed = await north.ask("housing", "Katherine Bramley", born="1991-05-17")
    (row,) = [row for result in completed.results for row in result.rows if row.professional == "Rae Reception"]
    assert row.away_until == "2026-09-30"
    assert row.cover is not None
    assert row.cover.professional == "Kim Physio"
    assert f'value="{option}" selected' in (await wendy.get("/me")).text
    page = await wendy.post("/me/away", {"away": "no"}, form="/me")
    assert "Away until" not in page.words


async def test_only_who_may_be_named_to_me_can_stand_in_and_a_shielded_team_names_its_own(
    north: TestFederation,
) -> None:
    await north.add(
        TRUST,
        Practitioner(key="sam", name=HumanName(given=("Sam",), family="Second"), role="Counsellor"),
        Involvement(
            key="sam",
            person_key="q1",
            practitioner_key="sam",
            service_key="Sexual-Health",
            sensitivity=Sensitivity.RESTRICTED,
        ),
        Practitioner(key="idle", name=HumanName(given=("Ida",), family="Idle"), role="Nurse"),
    )
    wendy = await rae(north)
    shielded = await hidden(north)
    seen = {"Olu Open, Support worker", "Kim Physio, Nurse"}
    assert _covers((await wendy.get("/me")).text).keys() == {*seen, "Robin Worker, Support worker"}
    covers = _covers((await shielded.get("/me")).text)
    assert covers.keys() == {*seen, "Rae Reception, Support worker", "Sam Second, Counsellor"}
    away = {"away": "yes", "until-day": "30", "until-month": "9", "until-year": "2026"}
    chosen = {**away, "cover": covers["Sam Second, Counsellor"]}
    refused = await wendy.post("/me/away", chosen, form="/me")
    assert not any(said in refused.words for said in ("Sam", "Counsellor", "covers for"))
    page = await shielded.post("/me/away", chosen, form="/me")
    assert "Sam Second covers for them." in page.words


async def test_nobody_learns_who_works_for_a_service_by_joining_it_themselves(north: TestFederation) -> None:
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera Volunteer", job_role="Volunteer")
    await north.add(
        TRUST,
        Practitioner(key="sam", name=HumanName(given=("Sam",), family="Shielded")),
        Involvement(
            key="sam",
            person_key="q1",
            practitioner_key="sam",
            service_key="Physio",
            sensitivity=Sensitivity.RESTRICTED,
        ),
        Involvement(key="open", person_key="o1", practitioner_key="Physio", service_key="Physio"),
    )
    text = (await vera.get("/clients/add")).text.partition('id="service"')[2]
    option = text.partition(">Team Physio<")[0].rpartition('value="')[2].partition('"')[0]
    client = {"name": "Zoe Ng", "born-day": "2", "born-month": "3", "born-year": "2012", "service": option}
    assert (await vera.post("/clients/add", client)).status == 200
    assert not any("Shielded" in name for name in _covers((await vera.get("/me")).text))


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/me/reach", {}, "Enter at least one way to reach you"),
        ("/me/reach", {"system-1": "phone", "value-1": "*#21#"}, "Enter a phone number"),
        ("/me/reach", {"system-1": "email", "value-1": "a@b?subject=x"}, "Enter an email address"),
        ("/me/reach", {"system-1": "fax", "value-1": "01632 960123"}, "Select whether"),
        ("/me/reach", {"system-1": "phone", "value-1": HOSTILE}, "Enter a phone number"),
        ("/me/reach", {"system-1": "phone", "value-1": "01632 960123", "pattern": "x" * 501}, "500 characters"),
        ("/me/away", {}, "Select whether you are away"),
        ("/me/away", {"away": "yes"}, "Enter the last day"),
        ("/me/away", {"away": "yes", "until-day": "1", "until-month": "1", "until-year": "2020"}, "today or later"),
    ],
)
async def test_what_cannot_be_used_is_said_at_its_field(
    north: TestFederation, path: str, fields: dict[str, str], said: str
) -> None:
    wendy = await rae(north)
    page = await wendy.post(path, fields, form="/me")
    assert page.status == 400
    assert said in page.words
    assert "<script>alert" not in page.text
    assert 'value="01632 960123"' in (await wendy.get("/me")).text


async def test_what_i_and_others_write_is_text_and_never_markup(north: TestFederation) -> None:
    wendy = await rae(north)
    await north.add(TRUST, Practitioner(key="x", name=HumanName(given=(HOSTILE,), family=HOSTILE), role=HOSTILE))
    fields = {"system-1": "phone", "value-1": "01632 960123", "pattern": HOSTILE}
    page = await wendy.post("/me/reach", fields, form="/me")
    assert page.status == 200
    for path in ("/me", "/clients/1"):
        text = (await wendy.get(path)).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


async def test_a_new_volunteer_says_how_to_reach_them_before_they_have_any_client(north: TestFederation) -> None:
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera Volunteer", job_role="Volunteer")
    assert "What others see" not in (await vera.get("/me")).words
    page = await vera.post("/me/reach", {"system-1": "phone", "value-1": "07700 900123"}, form="/me")
    assert page.status == 200
    seen = page.words.partition("What others see")[2]
    assert "Vera Volunteer" in seen
    assert page.text.count("<article") == 2  # not by name, then by name; dates of contact are a client's
    assert "Best way" in page.words
    assert "Second way" in page.words


def _covers(text: str) -> dict[str, str]:
    """Who is offered to stand in, with the value to choose."""
    offered = text.partition('<select class="govuk-select" id="cover"')[2].partition("</select>")[0]
    return {name.strip(): value for value, name in re.findall(r'<option value="([0-9]+)"[^>]*>([^<]*)<', offered)}
