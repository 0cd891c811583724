"""My details: what somebody says of how to reach them, and what others then see."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from mappings.model import HumanName, Practitioner
from tests.federation import TestFederation, federation, someone
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
    assert "Vera Volunteer" in page.words.partition("What others see")[2]
