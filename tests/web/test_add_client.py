"""Adding a client: in half a minute, with a warning of duplicates that teaches nothing about whom one may not see."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from mappings.model import Mapped, Person, Service
from mappings.vocabulary import Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web.clients import CODE, TRUST, fill, rae

PATH = "/clients/add"
NEW = {"name": "Zoë Ng", "born-day": "2", "born-month": "3", "born-year": "2012", "postcode": "ZM4 7QT"}
OWEN = {"name": "Owen Pritchard", "born-day": "4", "born-month": "4", "born-year": "1990", "postcode": "ZM4 7QT"}
PRIYA = {"name": "Priya Nandakumar", "born-day": "3", "born-month": "2", "born-year": "1988", "postcode": "ZM4 7QT"}
KNOWN = "Somebody like this is known here"
NUMBER = "9990000018"
ANNA = {"name": "Anna Any", "born-day": "", "born-month": "", "born-year": "", "postcode": "", "nhs": NUMBER}
PETRA = {"name": "Petra Secret", "born-day": "3", "born-month": "2", "born-year": "1988", "postcode": "ZM4 7QT"}
HIDDEN = someone("Petra", "Secret", "1988-02-03", key="h1", nhs=NUMBER, sensitivity=Sensitivity.VERY_RESTRICTED)


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST, "housing"], web=True) as running:
        await fill(running)
        yield running


async def test_a_client_who_is_added_is_in_my_list_and_found_by_other_agencies(north: TestFederation) -> None:
    wendy = await rae(north)
    page = await wendy.post(PATH, {**NEW, "role": "Mentor"})
    assert (page.status, page.path) == (200, "/clients/4/consent")
    assert "Zoë Ng is now one of your clients." in page.words
    assert 'href="/clients/4">Not now' in page.text
    assert "They change their mind" not in page.words  # there is nothing yet to take back
    assert "is now one of your clients" not in (await wendy.get("/clients/4/consent")).words
    assert "Mentor" in (await wendy.get("/clients/4")).words
    assert "Zoë Ng" in (await wendy.get("/clients")).words
    completed = await north.ask("housing", "Zoe Ng", born="2012-03-02")
    (row,) = [row for result in completed.results for row in result.rows]
    assert (row.professional, row.role, row.service) == ("Rae Reception", "Mentor", f"Team {CODE}")
    again = await wendy.post(PATH, NEW)  # a second tap
    assert (again.path, KNOWN in again.words) == (PATH, True)
    opened = await wendy.post(PATH, {**NEW, "known": "same"})
    assert opened.path == "/clients/4"


async def test_what_is_added_by_hand_is_no_more_open_than_the_service_s_other_work(north: TestFederation) -> None:
    kim = await north.sign_in(TRUST, Role.PRACTITIONER, name="Kim Sexual-Health", workers=["Sexual-Health"])
    wendy = await rae(north)
    await kim.post(PATH, NEW)
    await wendy.post(PATH, {**NEW, "name": "Cara Private", "born-day": "5", "confidential": "yes"})
    for name, born in (("Zoe Ng", "2012-03-02"), ("Cara Private", "2012-03-05")):
        completed = await north.ask("housing", name, born=born)
        assert not any(result.rows for result in completed.results)


async def test_the_service_is_asked_for_where_it_is_not_plain(north: TestFederation) -> None:
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera Volunteer", job_role="Volunteer")
    page = await vera.post(PATH, NEW)
    assert "Select the service" in page.words
    plain = await (await rae(north)).get(PATH)  # she has worked for one alone
    assert ('name="service"' in plain.text, f"Service: Team {CODE} ." in plain.words) == (False, True)
    option = page.text.partition(">Team Physio<")[0].rpartition('value="')[2].partition('"')[0]
    assert (await vera.post(PATH, {**NEW, "service": "999"})).status == 400
    assert (await vera.post(PATH, {**NEW, "service": option})).status == 200
    assert "Team Physio" in (await vera.get("/clients/4")).words


async def test_who_has_no_service_is_offered_those_that_may_be_named_and_never_put_into_one_in_silence(
    north: TestFederation,
) -> None:
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera Volunteer", job_role="Volunteer")
    await north.add(TRUST, Service(key="unknown", name="Team Unknown", code=CODE))
    page = await vera.get(PATH)
    offered = page.text.partition('<select class="govuk-select" id="service"')[2].partition("</select>")[0]
    names = [name.strip() for name in re.findall(r'<option value="[0-9]+"[^>]*>([^<]*)<', offered)]
    assert names == ["Team other-professional-support", "Team Physio", "A service that is not in this list"]
    assert "Select the service" in (await vera.post(PATH, NEW)).words
    assert (await vera.post(PATH, {**NEW, "service": "0"})).path == "/clients/4/consent"
    completed = await north.ask("housing", "Zoe Ng", born="2012-03-02")
    assert not any(result.rows for result in completed.results)


async def test_somebody_without_a_row_in_the_register_gets_one_with_their_first_client(north: TestFederation) -> None:
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera van der Volunteer", job_role="Volunteer")
    services = (await vera.get(PATH)).text.partition('<select class="govuk-select" id="service"')[2]
    option = services.partition(">Team Physio<")[0].rpartition('value="')[2].partition('"')[0]
    page = await vera.post(PATH, {**NEW, "role": "", "service": option})
    assert page.path == "/clients/4/consent"
    assert "Vera van der Volunteer You" in (await vera.get("/clients/4")).words
    assert "Zoë Ng" in (await vera.get("/clients")).words


async def test_a_duplicate_whose_team_i_may_see_is_shown_before_anything_is_stored(north: TestFederation) -> None:
    wendy = await rae(north)
    page = await wendy.post(PATH, OWEN)
    assert KNOWN in page.words
    assert "Olu Open, Support worker" in page.words
    assert "Pritchard" not in (await wendy.get("/clients")).words
    (entry,) = await north.nodes[TRUST].parts.ledger.about([3])  # seeing it is a look
    assert entry.body is not None
    assert (entry.body["kind"], entry.body["by"]) == ("looked", wendy.id)
    joined = await wendy.post(PATH, {**OWEN, "known": "same"})
    assert joined.path == "/clients/3/consent"
    client = await wendy.get("/clients/3")
    assert "Olu Open" in client.words
    assert "Rae Reception You" in client.words


async def test_somebody_else_with_the_same_details_can_be_added(north: TestFederation) -> None:
    wendy = await rae(north)
    page = await wendy.post(PATH, {**OWEN, "known": "new"})
    assert page.path == "/clients/4/consent"
    assert "Olu Open" not in page.words


async def test_the_warning_teaches_nothing_about_a_service_that_must_not_be_seen(north: TestFederation) -> None:
    known, unknown = await rae(north), await rae(north)
    shielded = await known.post(PATH, PRIYA)
    stranger = await unknown.post(PATH, {**NEW, "name": "Quentin Quillfeather"})
    assert (shielded.status, shielded.path) == (200, "/clients/4/consent")
    assert (stranger.status, stranger.path) == (200, "/clients/5/consent")
    for page, name in ((shielded, "Priya Nandakumar"), (stranger, "Quentin Quillfeather")):
        assert name in page.words
        client = await (known if page is shielded else unknown).get(page.path.removesuffix("/consent"))
        assert "Robin Worker" not in client.words
    assert not await north.nodes[TRUST].parts.ledger.about([2])
    # Nor does claiming that it is the same person open what is not shown.
    claimed = await known.post(PATH, {**PRIYA, "known": "same"})
    assert claimed.path == "/clients/4"  # their own, as if nobody else knew her
    assert "Robin Worker" not in claimed.words
    await north.add(TRUST, *HIDDEN)
    claimed = await known.post(PATH, {**PETRA, "known": "same"})
    assert claimed.path == "/clients/7/consent"
    assert "Robin Worker" not in claimed.words


async def test_a_number_of_somebody_whom_a_hidden_service_knows_changes_nothing_that_can_be_seen(
    north: TestFederation,
) -> None:
    await north.add(
        TRUST,
        *someone(
            "Nia",
            "Hidden",
            "1999-09-09",
            key="h1",
            nhs="9990000018",
            sensitivity=Sensitivity.RESTRICTED,
            worker="Hal Hidden",
        ),
    )
    wendy = await rae(north)
    page = await wendy.post(PATH, {**NEW, "nhs": "999 000 0018"})
    assert (page.status, page.path) == (200, "/clients/5/consent")
    assert "Zoë Ng" in page.words
    assert not any(name in page.text for name in ("Hidden", "Nia", "1999"))
    assert (await wendy.get("/clients/4")).status == 404


@pytest.mark.parametrize(
    "hidden",
    [
        HIDDEN,
        [replace(each, restricted=True) if isinstance(each, Person) else each for each in HIDDEN],
        someone("Petra", "Secret", "1988-02-03", key="h1", nhs="9990000026", sensitivity=Sensitivity.RESTRICTED),
        someone("Petra", "Secret", "1988-02-03", key="h1", sensitivity=Sensitivity.RESTRICTED),
    ],
    ids=["their number", "a bar on all", "another number", "no number"],
)
async def test_a_hidden_record_neither_makes_a_warning_nor_keeps_one_away(
    north: TestFederation, tmp_path: Path, hidden: tuple[Mapped, ...]
) -> None:
    async with federation(tmp_path / "known", [TRUST, "housing"], web=True) as other:
        await fill(other)
        await other.add(TRUST, *hidden)
        absent, known = await _walk(north), await _walk(other)
    assert [KNOWN in words for words in absent] == [False, False, True, True, True, False]
    assert known == absent


async def _walk(north: TestFederation) -> list[str]:
    """What Rae is shown who types somebody's number under any name, describes them, and tries both again."""
    wendy = await rae(north)
    pages = [await wendy.post(PATH, {**fields, "role": "Mentor"}) for fields in (ANNA, PETRA, ANNA, PETRA)]
    pages.append(await wendy.post(PATH, {**PETRA, "nhs": NUMBER, "role": "Mentor"}))
    pages.append(await wendy.post(PATH, {**PETRA, "role": "Mentor", "known": "same"}))
    assert [page.status for page in pages] == [200] * len(pages)
    return [_same_for_all(page.text) for page in pages]


def _same_for_all(text: str) -> str:
    """A page's text without ids and tokens."""
    text = re.sub(r'nonce="[^"]*"', "", text)
    text = re.sub(r'(name="csrf[^"]*" value=)"[^"]*"', r"\1", text)
    return re.sub(r"/clients/[0-9]+", "/clients/id", text)


@pytest.mark.parametrize("nhs", [None, NUMBER])
async def test_a_hidden_service_s_row_of_a_person_is_no_rival_of_the_row_that_is_seen(
    north: TestFederation, nhs: str | None
) -> None:
    owen = someone("Owen", "Pritchard", "1990-04-04", key="h2", nhs=nhs, sensitivity=Sensitivity.RESTRICTED)
    await north.add(TRUST, *owen)
    wendy = await rae(north)
    page = await wendy.post(PATH, OWEN)
    assert (KNOWN in page.words, "Olu Open, Support worker" in page.words) == (True, True)
    manager = await north.sign_in(TRUST, Role.MANAGER, name="Max M")
    added = "/manage/register"
    await manager.post(
        f"{added}/services/add", {"name": "Tea room", "code": CODE, "phone": "01632 960000", "sensitivity": "N"}
    )
    await manager.post(f"{added}/people/add", {"name": "Vol Unteer", "role": "Helper", "mobile": "07700 900982"})
    key = re.search(r"people/([0-9a-f]{32})", (await manager.get(added)).text)
    assert key
    for known in (False, True):  # the second time, for whom the first has made
        page = await manager.post(f"{added}/clients/add", {**PRIYA, "colleague": key[1]})
        assert (KNOWN in page.words, page.path == added) == (known, not known)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Enter their name"),
        ({"name": "Zoë Ng"}, "A name alone finds nobody"),
        ({"name": "Zoë Ng", "born-year": "1"}, "4 digits"),
        ({**NEW, "nhs": "999 000 0019"}, "Check the NHS number"),
        ({**NEW, "postcode": "<b>"}, "Enter a full postcode"),
        ({**NEW, "role": "x" * 201}, "200 characters or fewer"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    north: TestFederation, fields: dict[str, str], said: str
) -> None:
    page = await (await rae(north)).post(PATH, fields)
    assert page.status == 400
    assert said in page.words
    assert "Error: Add a client" in page.words or "Error:" in page.text.partition("</title>")[0]
    if "name" in fields:
        assert 'value="Zoë Ng"' in page.text


async def test_what_is_typed_is_text_and_never_markup(north: TestFederation) -> None:
    hostile = "<script>alert(1)</script>\"'"
    wendy = await rae(north)
    page = await wendy.post(PATH, {**NEW, "name": hostile, "role": hostile, "born-year": hostile})
    assert page.status == 400
    assert "<script>alert" not in page.text
    page = await wendy.post(PATH, {**NEW, "name": hostile, "role": hostile})
    assert page.path == "/clients/4/consent"
    for path in ("/clients", "/clients/4", "/clients/4/leave"):
        shown = await wendy.get(path)
        assert "<script>alert" not in shown.text
        assert "&lt;script&gt;" in shown.text
    named = {**NEW, "postcode": "", "nhs": "9990000018"}
    await wendy.post(PATH, named)
    known = await wendy.post(PATH, {**named, "role": hostile})
    assert KNOWN in known.words
    assert "<script>alert" not in known.text
    assert "&lt;script&gt;" in known.text
