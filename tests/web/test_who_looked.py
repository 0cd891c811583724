"""Who looked at a client's record: an officer finds the client, decides what is left out, and releases the report."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.account import Role
from gateway.cli.report import _account_names
from gateway.web import pdf
from mappings.vocabulary import Purpose
from tests.federation import TestFederation, federation, someone
from tests.web.clients import TRUST, fill, rae
from tests.web_user import Fields, WebUser

POLICE = "police"
PATH = "/manage/who-looked"
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"
RELEASE: Fields = {"to": "Kit Quillfeather", "relation": "person", "identity": "passport seen"}
SHOWN: Fields = {**RELEASE, "names": "all", "shape": "html"}


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST, POLICE], web=True) as running:
        await fill(running)
        await running.ask(POLICE, "Katherine Bramley", born="1991-05-17")
        await running.ask(POLICE, "Katherine Bramley", born="1991-05-17", purpose=Purpose.SAFEGUARDING)
        yield running


async def gail(north: TestFederation) -> WebUser:
    return await north.sign_in(TRUST, Role.GOVERNANCE, name="Gail Green", job_role="Data protection officer")


async def on_record(north: TestFederation, kind: str) -> list[Mapping[str, Any]]:
    entries = await north.nodes[TRUST].parts.ledger.about([1])
    return [entry.body for entry in entries if entry.body is not None and entry.body["kind"] == kind]


async def test_an_officer_finds_a_client_and_gives_them_the_report_after_it_is_on_record(north: TestFederation) -> None:
    officer = await gail(north)
    assert "Who looked at a client's record" in (await officer.get("/manage")).words
    found = {"by": "person", "name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
    page = await officer.post(PATH, found)
    assert (page.status, page.path) == (200, f"{PATH}/1")
    assert "Katherine Bramley" in page.words
    assert "Alex Asker, Social worker, Police" in page.words  # who it was, before anything is held back or released
    assert (
        "Who: Alex Asker, Social worker"
        in (await officer.get(f"{PATH}/1/entries/{min(re.findall(r'entries/([0-9]+)', page.text), key=int)}")).words
    )
    assert "Gail Green, Data protection officer" in (await officer.get(f"{PATH}/1")).words.partition("Release the")[0]
    (look,) = await on_record(north, "looked")
    assert (look["by"], look["purpose"]) == (officer.id, "PATRQT")
    page = await officer.post(f"{PATH}/1/release", SHOWN, form=f"{PATH}/1")
    assert page.status == 200
    assert "Alex Asker, Social worker, Police" in page.words
    assert (
        "To keep you or somebody else safe" not in page.words.partition("Questions about you")[2].partition("Who of")[0]
    )
    assert "Gail Green, Data protection officer" in page.words
    assert "Bramley" not in page.text
    (released,) = await on_record(north, "release")
    assert (released["by"], released["to"], released["identity"]) == (officer.id, "Kit Quillfeather", "passport seen")
    assert released["forms"] == ["html"]


async def test_a_client_is_found_by_their_number_even_where_names_are_not_sure(north: TestFederation) -> None:
    officer = await gail(north)
    page = await officer.post(PATH, {"by": "number", "source": "register", "key": "q1"})
    assert page.path == f"{PATH}/2"
    for fields in (
        {"by": "number", "source": "register", "key": "none"},
        {"by": "number", "source": "elsewhere", "key": "p1"},
        {"by": "person", "name": "Katherine Bramley"},
        {"by": "person", "name": "Nobody Known", "born-year": "1950"},
        {},
    ):
        page = await officer.post(PATH, fields)
        assert (page.status, page.path) == (400, PATH)
        assert "There is a problem" in page.words
    assert (await officer.get(f"{PATH}/987654")).status == 404


async def test_whether_somebody_is_known_is_told_after_it_is_on_record_and_not_to_whoever_guesses_on(
    north: TestFederation,
) -> None:
    officer, other = await gail(north), await gail(north)
    token = (await officer.get(PATH)).token
    priya = {"by": "person", "name": "Priya Nandakumar", "born-month": "2", "born-year": "1988"}
    for day in range(20, 25):  # five ways to describe her, of which none is hers
        page = await officer.post(PATH, {**priya, "born-day": str(day), "born-month": "11"}, token=token)
        assert (page.status, "Nobody here is surely this person" in page.words) == (400, True)
    page = await officer.post(PATH, {**priya, "born-day": "3"}, token=token, follow=False)
    assert (page.status, "too often today" in page.words) == (400, True)
    assert not await north.nodes[TRUST].parts.ledger.about([2])
    page = await other.post(PATH, {**priya, "born-day": "3"}, token=(await other.get(PATH)).token, follow=False)
    assert (page.status, page.headers["Location"]) == (303, f"{PATH}/2")
    (look,) = await north.nodes[TRUST].parts.ledger.about([2])
    assert look.body is not None
    assert (look.body["kind"], look.body["by"]) == ("looked", other.id)
    ledger = north.nodes[TRUST].parts.ledger
    await ledger.close()
    found = {"by": "number", "source": "register", "key": "o1"}
    assert (await other.post(PATH, found, token=(await other.get(PATH)).token, follow=False)).status == 503


async def test_numbers_are_not_guessed_without_end(north: TestFederation, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = await gail(north)
    token = (await officer.get(PATH)).token
    site = north.pages[TRUST].site
    monkeypatch.setattr(site.guesses, "_limits", replace(site.guesses._limits, per_practitioner=3))
    pages = [
        await officer.post(PATH, {"by": "number", "source": "register", "key": key}, token=token, follow=False)
        for key in ("n1", "n2", "n3", "q1")
    ]
    assert [page.status for page in pages] == [400] * 4
    assert ["too often today" in page.words for page in pages] == [False, False, False, True]


async def test_nothing_is_shown_that_is_not_on_record_first(north: TestFederation) -> None:
    officer = await gail(north)
    await officer.get(f"{PATH}/1")
    other = await gail(north)
    token = (await officer.get(f"{PATH}/1")).token
    await north.nodes[TRUST].parts.ledger.close()
    page = await officer.post(f"{PATH}/1/release", SHOWN, token=token)
    assert (page.status, "Alex" in page.text) == (503, False)
    page = await other.get(f"{PATH}/1")
    assert (page.status, "Bramley" in page.text) == (503, False)


async def test_a_report_is_not_released_before_it_is_clear_who_receives_it(north: TestFederation) -> None:
    officer = await gail(north)
    for wrong, says in (
        ({"to": ""}, "Enter who receives"),
        ({"identity": ""}, "Enter how you have checked"),
        ({"relation": "parent"}, "Enter what shows that they may act"),
        ({"authority": "court order"}, "only for somebody who acts"),
        ({"relation": "cousin"}, "Select who that is"),
        ({"shape": "text"}, "Select the form"),
        ({"to": "x" * 201}, "200 characters or fewer"),
    ):
        page = await officer.post(f"{PATH}/1/release", {**SHOWN, **wrong}, form=f"{PATH}/1")
        assert (page.status, says in page.words) == (400, True), page.words
        assert "Questions about you" not in page.words
    assert not await on_record(north, "release")


async def test_what_is_left_out_leaves_no_trace_until_an_officer_shows_it(north: TestFederation) -> None:
    officer = await gail(north)
    page = await officer.get(f"{PATH}/1")
    assert "Left out until you decide" in page.words
    first, second = sorted(set(map(int, re.findall(r"entries/(\d+)", page.text))))[:2]
    until = {"until-day": "1", "until-month": "12", "until-year": "2026"}
    for wrong in (
        {},
        {"shown": "no"},
        {"shown": "no", "exemption": "refuge"},
        {"shown": "yes"},
        {"shown": "no", **until},
    ):
        page = await officer.post(f"{PATH}/1/entries/{first}", wrong)
        assert page.status == 400
    far = {"shown": "no", "exemption": "refuge", "until-day": "1", "until-month": "12", "until-year": "2029"}
    assert (await officer.post(f"{PATH}/1/entries/{first}", far)).status == 400
    page = await officer.post(f"{PATH}/1/entries/{first}", {"shown": "no", "exemption": "refuge", **until})
    assert (page.path, "Left out, as decided" in page.words) == (f"{PATH}/1", True)
    page = await officer.post(f"{PATH}/1/entries/{second}", {"shown": "yes", "reason": "no risk"})
    assert "Left out until you decide" not in page.words
    report = (await officer.post(f"{PATH}/1/release", SHOWN, form=f"{PATH}/1")).words
    questions = report.partition("Questions about you")[2].partition("Who of")[0]
    assert ("To keep you or somebody else safe" in questions, "To find out who else" in questions) == (True, False)
    assert not re.search("refuge|left out|withheld", report.replace("You may", ""))
    decided = await on_record(north, "report-decision")
    assert [(each["by"], each["show"]) for each in decided] == [(officer.id, False), (officer.id, True)]


async def test_an_entry_of_another_client_or_of_nobody_cannot_be_decided_here(north: TestFederation) -> None:
    officer = await gail(north)
    page = await officer.get(f"{PATH}/1")
    own = re.findall(r"entries/(\d+)", page.text)[0]
    assert (await officer.get(f"{PATH}/2/entries/{own}")).status == 404
    assert (await officer.get(f"{PATH}/1/entries/987654")).status == 404


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.MANAGER, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_nobody_but_an_officer_opens_these_pages(north: TestFederation, role: Role) -> None:
    user = await rae(north, role)
    for path in (PATH, f"{PATH}/1", f"{PATH}/1/entries/1"):
        assert (await user.get(path)).status == 403
    for path in (PATH, f"{PATH}/1/release", f"{PATH}/1/entries/1"):
        assert (await user.post(path, SHOWN, form="/account")).status == 403
    assert "Who looked at a client's record" not in (await user.get("/account")).words
    assert not await on_record(north, "looked")


async def test_a_form_that_another_site_sends_releases_nothing(north: TestFederation) -> None:
    officer = await gail(north)
    for path in (PATH, f"{PATH}/1/release", f"{PATH}/1/entries/1"):
        for token in ("", "x" * 43):
            assert (await officer.post(path, SHOWN, token=token)).status == 403
    assert not await on_record(north, "release")


async def test_names_and_what_is_typed_are_text_and_never_markup(north: TestFederation) -> None:
    await north.add(TRUST, *someone(HOSTILE, "Bramley", "1991-05-17", worker="Rae Reception"))
    officer = await gail(north)
    page = await officer.post(f"{PATH}/1/release", {**SHOWN, "to": HOSTILE, "shape": ""}, form=f"{PATH}/1")
    assert "&lt;script&gt;alert(1)" in page.text
    for text in (page.text, (await officer.post(PATH, {"by": "number", "key": HOSTILE})).text):
        assert "<script>alert" not in text
        assert "{{7*7}}" in text
    page = await officer.post(f"{PATH}/1/release", {**SHOWN, "to": HOSTILE}, form=f"{PATH}/1")
    page = await officer.post(f"{PATH}/1/release", SHOWN, form=f"{PATH}/1")
    assert "<script>alert" not in page.text


async def test_who_recorded_a_wish_on_a_page_has_a_name_in_the_report(north: TestFederation) -> None:
    reception = await rae(north)
    said = {"relation": "person", "method": "spoken", "mode": "callback", "whom": "all"}
    await reception.post("/clients/1/consent/object", {**said, "reasons": "all", "services": "all", "go": "record"})
    officer = await gail(north)
    report = (await officer.post(f"{PATH}/1/release", SHOWN, form=f"{PATH}/1")).words
    assert "Recorded by Rae Reception" in report
    assert "Rae Reception" in (await officer.get(f"{PATH}/1")).words.partition("Release the")[0]
    assert reception.id not in report
    node = north.nodes[TRUST]
    names = await _account_names(node, await node.parts.ledger.about([1]))  # as the command finds them
    assert names == {reception.id: "Rae Reception"}


async def test_a_pdf_is_tagged_and_without_its_package_the_page_offers_printing(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = await gail(north)
    token = (await officer.get(f"{PATH}/1")).token
    data = {**SHOWN, "shape": "pdf", "csrf": token}
    headers = {"Origin": str(officer.url.origin())}
    async with officer._session.post(f"{PATH}/1/release", data=data, headers=headers) as response:
        made = await response.read()
        assert response.headers["Content-Disposition"] == 'attachment; filename="who-asked-about-me.pdf"'
        assert response.headers["Cache-Control"] == "no-store"
    assert made.startswith(b"%PDF-")
    assert b"pdfuaid:part>1<" in made
    assert (await on_record(north, "release"))[0]["forms"] == ["pdf"]
    monkeypatch.setattr(pdf, "find_spec", lambda _name: None)
    assert "PDF is not installed" in (await officer.get(f"{PATH}/1")).words
    page = await officer.post(f"{PATH}/1/release", {**SHOWN, "shape": "pdf"}, form=f"{PATH}/1")
    assert page.status == 400
    page = await officer.get("/leaflet.pdf")
    assert (page.status, "Print the page instead" in page.words) == (404, True)
    assert "PDF is not installed" in (await officer.get("/leaflet")).words
