"""My clients and a client's page: what is there for whoever works with somebody, and nothing for anybody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision
from gateway.accounts.account import Role
from mappings.model import HumanName, Involvement, Person, Practitioner, Service
from mappings.vocabulary import Mode, Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web.clients import CODE, SECRETS, TRUST, fill, rae

DAY_S = 86_400
NUMBER = "9990000018"
OBJECTS = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="x")
AGREES = ConsentEntry(
    kind=ConsentKind.CONSENT, provisions=(Provision(permit=True, mode=Mode.SCHEDULE),), recorded_by="x"
)
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST], web=True) as running:
        await fill(running)
        yield running


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """With another agency, that may ask and be told."""
    async with federation(tmp_path, [TRUST, "housing"], web=True) as running:
        await fill(running)
        yield running


async def test_my_clients_lists_whom_i_work_with_and_my_visits_this_week(north: TestFederation) -> None:
    page = await (await rae(north)).get("/clients")
    assert page.status == 200
    assert "24 September 2026: Katherine Bramley , home visit" in page.words
    assert "born 17 May 1991" in page.words
    assert not any(name in page.text for name in ("Pritchard", *SECRETS))
    row = page.text.partition("<tbody")[2]
    assert "Katherine Bramley" in row
    assert ">2</td>" in row  # she and the physiotherapist; who is shielded is not counted


async def test_a_client_s_page_shows_the_team_as_i_may_see_it_and_how_to_call_them(north: TestFederation) -> None:
    page = await (await rae(north)).get("/clients/1")
    assert page.status == 200
    assert "<h1" in page.text
    assert "Katherine Bramley" in page.words
    assert "Rae Reception You" in page.words
    assert "Kim Physio" in page.words
    assert 'href="tel:01632960777"' in page.text
    assert "Next: 24 September 2026, home visit, Rae Reception" in page.words
    assert "Last: 1 September 2026, clinic, Kim Physio" in page.words
    assert not any(name in page.text for name in SECRETS)
    assert "Bramley" not in page.text.partition("<title")[2].partition("</title>")[0]  # a browser's history keeps it
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "/leave"])
async def test_a_client_who_is_not_mine_looks_like_one_who_does_not_exist(north: TestFederation, path: str) -> None:
    wendy = await rae(north)
    nobody = await wendy.get(f"/clients/987654{path}")
    assert nobody.status == 404
    for person_id in (2, 3):
        page = await wendy.get(f"/clients/{person_id}{path}")
        assert (page.status, page.words) == (404, nobody.words)
    for action in ("still", "leave"):
        there = await wendy.post(f"/clients/2/{action}", form="/account")
        not_there = await wendy.post(f"/clients/987654/{action}", form="/account")
        assert (there.status, there.words) == (not_there.status, not_there.words) == (404, nobody.words)
    report = await north.nodes[TRUST].parts.ledger.about([2, 3])
    assert not report  # nothing was shown, so nothing is on record


@pytest.mark.parametrize("role", [Role.MANAGER, Role.GOVERNANCE, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_other_roles_open_no_client(north: TestFederation, role: Role) -> None:
    user = await rae(north, role)
    for path in ("/clients", "/clients/1", "/clients/1/leave", "/clients/add", "/me"):
        assert (await user.get(path)).status == 403
    for path in ("/clients/1/still", "/clients/1/leave", "/clients/add", "/me/reach", "/me/away"):
        assert (await user.post(path, form="/account")).status == 403


async def test_nobody_sees_a_client_without_signing_in(north: TestFederation) -> None:
    page = await north.browser(TRUST).get("/clients/1")
    assert (page.path, "Bramley" in page.text) == ("/sign-in", False)


async def test_a_form_that_another_site_sends_changes_nothing(north: TestFederation) -> None:
    wendy = await rae(north)
    for path in ("/clients/1/still", "/clients/1/leave", "/clients/add", "/me/reach", "/me/away"):
        assert (await wendy.post(path, {}, token="")).status == 403
        assert (await wendy.post(path, {}, token="x" * 43)).status == 403
    assert (await wendy.get("/clients/1")).status == 200


async def test_a_look_is_on_record_once_a_day_before_the_page_is_shown(north: TestFederation) -> None:
    wendy = await rae(north)
    for _ in range(2):
        await wendy.get("/clients/1")
    entries = await north.nodes[TRUST].parts.ledger.about([1])
    (body,) = [entry.body for entry in entries]
    assert body is not None
    assert (body["kind"], body["by"], body["name"]) == ("looked", wendy.id, "Rae Reception")
    other = await rae(north)
    await north.nodes[TRUST].parts.ledger.close()
    page = await other.get("/clients/1")
    assert page.status == 503
    assert "Bramley" not in page.text


async def test_whoever_is_asked_whether_they_still_work_with_somebody_answers_with_one_tap(
    north: TestFederation,
) -> None:
    wendy = await rae(north)
    question = "Are you still working with Katherine Bramley?"
    assert question in (await wendy.get("/clients")).words  # since January
    page = await wendy.post("/clients/1/still", form="/clients")
    assert (page.path, question in page.words) == ("/clients", False)
    assert "Confirmed 21 September 2026" in (await wendy.get("/clients/1")).words


async def test_whoever_leaves_a_team_is_gone_at_once(two: TestFederation) -> None:
    wendy = await rae(two)
    assert "You no longer work with Katherine Bramley?" in (await wendy.get("/clients/1/leave")).words
    page = await wendy.post("/clients/1/leave")
    assert (page.status, page.path) == (200, "/clients")
    assert "Bramley" not in page.text
    assert (await wendy.get("/clients/1")).status == 404
    completed = await two.ask("housing", "Katherine Bramley", born="1991-05-17")
    assert "Rae Reception" not in str(completed.results)
    assert "Kim Physio" in str(completed.results)


async def test_the_list_says_what_changed_since_i_looked(north: TestFederation) -> None:
    wendy = await rae(north)
    assert "joined" not in (await wendy.get("/clients")).words
    await wendy.get("/clients/1")
    await north.add(
        TRUST,
        Practitioner(key="new", name=HumanName(given=("Nia",), family="New"), organisation_key="org"),
        Involvement(key="new", person_key="p1", practitioner_key="new", service_key="Physio"),
    )
    assert "1 joined" in (await wendy.get("/clients")).words
    await wendy.get("/clients/1")
    assert "joined" not in (await wendy.get("/clients")).words


async def test_the_list_is_sorted_by_what_is_asked_and_by_nothing_else(north: TestFederation) -> None:
    wendy = await rae(north)
    await north.add(
        TRUST,
        Person(key="a1", names=(HumanName(given=("Ada",), family="Zuleika"),), birth_date="2001-01-01"),
        Involvement(key="a1", person_key="a1", practitioner_key="w-p1", start="2026-09-01"),
    )
    for sort, first in (("name", "Ada"), ("visit", "Katherine"), ("team", "Katherine"), ("'; DROP", "Ada")):
        rows = (await wendy.get(f"/clients?sort={sort}")).text.partition("<tbody")[2]
        assert (rows.index("Ada") < rows.index("Katherine")) is (first == "Ada")


async def test_one_of_my_clients_is_found_by_part_of_a_name_that_stands_in_no_address(north: TestFederation) -> None:
    wendy = await rae(north)
    zoe = Person(key="a1", names=(HumanName(given=("Zoë",), family="Bramley-Osei"),), birth_date="2001-01-01")
    work = Involvement(key="a1", person_key="a1", practitioner_key="w-p1", start="2026-09-01")
    await north.add(TRUST, zoe, work)
    found = await wendy.post("/clients", {"typed": "zoe osei", "sort": "visit"})
    rows = found.text.partition("<tbody")[2]
    assert (found.path, "Zoë Bramley-Osei" in rows, "Katherine" in rows) == ("/clients", True, False)
    assert "1 of your clients has that in a name." in found.words
    both = (await wendy.post("/clients", {"typed": "", "sort": "visit"})).text.partition("<tbody")[2]
    assert both.index("Katherine") < both.index("Zoë")  # she has a visit
    nobody = await wendy.post("/clients", {"typed": "Pritchard", "sort": "visit"})
    assert "0 of your clients have that in a name." in nobody.words
    assert "Owen" not in nobody.text
    assert "<script>" not in (await wendy.post("/clients", {"typed": "<script>alert(1)</script>"})).text


async def test_consent_at_a_glance_is_about_my_own_service_alone(two: TestFederation) -> None:
    wendy = await rae(two)
    assert "No agreement about sharing is on record" in (await wendy.get("/clients/1")).words
    line = Provision(permit=True, mode=Mode.SCHEDULE, services=("gum-clinic",))
    said = ConsentEntry(kind=ConsentKind.CONSENT, provisions=(line,), recorded_by="x")
    await two.record(TRUST, "p1", said)
    assert "No agreement about sharing is on record" in (await wendy.get("/clients/1")).words
    await two.record(TRUST, "p1", replace(said, provisions=(replace(line, services=(CODE,)),)))
    assert "They agree that other agencies are told" in (await wendy.get("/clients/1")).words
    await two.record(TRUST, "p1", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="x"))
    assert "They object" in (await wendy.get("/clients/1")).words


@pytest.mark.parametrize("said", [None, OBJECTS, AGREES], ids=["nobody", "objects", "agrees"])
async def test_consent_at_a_glance_tells_nothing_of_what_is_on_record_under_a_hidden_row(
    two: TestFederation, said: ConsentEntry | None
) -> None:
    if said is not None:
        hidden = someone("Hid", "Den", "1999-09-09", key="h1", nhs=NUMBER, sensitivity=Sensitivity.RESTRICTED)
        await two.add(TRUST, *hidden)
        await two.record(TRUST, "h1", said)
    wendy = await rae(two)
    typed = {"name": "Anna Any", "born-day": "", "born-month": "", "born-year": "", "postcode": "", "nhs": NUMBER}
    page = await wendy.post("/clients/add", {**typed, "role": "Mentor"})
    assert page.path == ("/clients/4/consent" if said is None else "/clients/5/consent")
    assert "Anna Any" in page.words
    assert "No agreement about sharing is on record" in page.words
    # What is on record under the row at which their own work stands is told as before.
    await two.nodes[TRUST].parts.ledger.record(int(page.path.split("/")[2]), OBJECTS)
    assert "They object" in (await wendy.get(page.path)).words


async def test_what_any_source_says_is_text_and_never_markup(north: TestFederation) -> None:
    await north.add(
        TRUST,
        Person(key="p1", names=(HumanName(given=(HOSTILE,), family=HOSTILE), HumanName(family="x" + HOSTILE))),
        Practitioner(
            key="Physio",
            name=HumanName(given=(HOSTILE,), family="Physio"),
            role=HOSTILE,
            working_pattern=HOSTILE,
            organisation_key="org",
        ),
        Service(key="Physio", name=HOSTILE, code="other-long-term-support", organisation_key="org"),
        Involvement(key="Physio", person_key="p1", practitioner_key="Physio", service_key="Physio", role=HOSTILE),
    )
    wendy = await rae(north)
    for path in ("/clients", "/clients/1", "/clients/1/leave"):
        page = await wendy.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
        assert "{{7*7}}" in page.words


async def test_without_a_document_of_the_federation_people_still_see_their_own_work(north: TestFederation) -> None:
    wendy = await rae(north)
    north.clock.turn(DAY_S / 4)  # the hub's word has expired
    wendy = await rae(north)
    page = await wendy.get("/clients/1")
    assert page.status == 200
    assert "Rae Reception" in page.words
    assert "Kim Physio" not in page.words
