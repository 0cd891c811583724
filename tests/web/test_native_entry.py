"""A charity without a case system: a coordinator types in services and people, uploads clients, and they are found."""

import csv
import io
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.accounts.store import add_worker
from gateway.node.native import NATIVE
from tests.contract.workbook import Cell
from tests.federation import TestFederation, federation, someone
from tests.web.lists import FOOD_BANK, HEADER, PATH, SERVICE, VERA, choices, people, set_up, store, upload, workbook
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")
REGISTER = "/manage/register"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [FOOD_BANK, "housing"], web=True) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cora(north: TestFederation) -> WebUser:
    """The coordinator, who has typed in a service and a volunteer."""
    coordinator = await north.sign_in(FOOD_BANK, Role.MANAGER, name="Cora Coordinator", job_role="Coordinator")
    await set_up(coordinator)
    return coordinator


async def found(north: TestFederation, name: str, born: str) -> list[str | None]:
    completed = await north.ask("housing", name, born=born)
    return [row.professional for result in completed.results for row in result.rows]


def link_of(text: str, name: str) -> str:
    """The address behind a name."""
    return text.partition(f'">{name}</a>')[0].rpartition('href="')[2]


async def test_thirty_clients_are_uploaded_three_rows_mended_and_the_volunteer_is_found(
    north: TestFederation, cora: WebUser
) -> None:
    page = await upload(cora, workbook(people()))
    assert (page.status, "This is what we would store") == (200, "This is what we would store")
    assert choices(page) == {
        "column-0": "given_name",
        "column-1": "family_name",
        "column-2": "birth_date",
        "column-3": "postcode",
        "column-4": "nhs_number",
        "column-5": "worker",
        "column-6": "",
        "service": "",
    }
    assert "D.O.B.: not a date like 27/3/2012" in page.words
    who = "Bertram Tremayne, born 3 February 2008, ZM4 7QT, NHS number 9990000018 Vera Vale, Friday club None"
    assert who in page.words
    assert "No name" not in page.words

    done = await store(north, cora, page)
    assert "27 new 0 changed 0 as before 3 left out" in done.words
    assert await found(north, "Bertram Tremayne", "2008-02-03") == ["Vera Vale"]

    async with cora._session.get(f"{done.path}/left-out.csv") as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="rows-to-mend.csv"'
        rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert rows[0] == [*HEADER, "What is wrong"]
    assert [row[6] for row in rows[1:]] == ["'=HYPERLINK(1)"] * 3
    assert [row[-1] for row in rows[1:]] == [
        "D.O.B.: not a date like 27/3/2012",
        "NHS no.: this is no NHS number: a digit is wrong",
        "there is no name",
    ]
    rows[1][2], rows[2][4], rows[3][0], rows[3][1] = "3/5/2008", "", "Mended", "Tremayne"
    mended = io.StringIO()
    csv.writer(mended).writerows(rows)
    start = await cora.get(PATH)
    listed = start.text.partition('name="list" type="radio" value="')[2].partition('"')[0]
    page = await cora.upload(PATH, "file", ("mended.csv", mended.getvalue().encode()), {"list": listed})
    assert choices(page)["column-5"] == "worker"  # as the list had it
    done = await store(north, cora, page)
    assert "3 new 0 changed 0 as before 0 left out" in done.words
    assert await found(north, "Mended Tremayne", "2009-04-17") == ["Vera Vale"]

    again = await cora.upload(PATH, "file", ("again.xlsx", workbook(people())), {"list": listed})
    done = await store(north, cora, again)
    assert "0 new 0 changed 27 as before 3 left out" in done.words
    assert len(await found(north, "Bertram Tremayne", "2008-02-03")) == 1
    files = list((north.folder / FOOD_BANK / "data" / "uploads").iterdir())
    assert all(path.name.endswith(".left-out") for path in files)  # no uploaded file is kept


async def test_an_account_linked_to_the_volunteer_sees_the_uploaded_clients(
    north: TestFederation, cora: WebUser
) -> None:
    key = link_of((await cora.get(REGISTER)).text, "Vera Vale").rpartition("/")[2]
    vera = await north.sign_in(FOOD_BANK, Role.PRACTITIONER, name="Vera Vale")
    assert vera.account is not None
    site = north.pages[FOOD_BANK].site
    await site.database.write(add_worker(vera.account.id, NATIVE, key))
    assert "Bertram Tremayne" in (await vera.get("/clients")).words
    page = await cora.get(f"{REGISTER}/people/{key}")
    await cora.post(page.path, {**VERA, **choices(page), "role": "Mentor"})  # a change keeps the key
    assert "Bertram Tremayne" in (await vera.get("/clients")).words


async def test_whoever_has_left_is_no_longer_named_to_anybody(north: TestFederation, cora: WebUser) -> None:
    await cora.post(f"{REGISTER}/people/add", {**VERA, "name": "Gus Gone"})
    rows = [["Name", "DOB", "Worker", "Service"], ["Lena Last", "1/2/1990", "Gus Gone", "Friday club"]]
    await store(north, cora, await upload(cora, workbook(rows), listed="Gus"))
    assert await found(north, "Lena Last", "1990-02-01") == ["Gus Gone"]
    path = link_of((await cora.get(REGISTER)).text, "Gus Gone")
    page = await cora.post(f"{path}/left", form=path)
    assert "left on 21 September 2026" in page.words
    assert await found(north, "Lena Last", "1990-02-01") == []
    refused = await upload(cora, workbook(rows), listed="Gus 2")
    assert "it names a worker who has left" in refused.words


async def test_work_for_a_confidential_service_is_told_to_nobody_without_consent(
    north: TestFederation, cora: WebUser
) -> None:
    await cora.post(f"{REGISTER}/services/add", {**SERVICE, "name": "Quiet line", "sensitivity": "R"})
    rows = [
        ["Name", "DOB", "Service"],
        ["Quentin Quiet", "1/2/1991", "quiet LINE"],
        ["Olga Open", "1/3/1971", "Day club"],
        ["Nora None", "1/3/1991", ""],
        ["Otto Other", "1/3/1991", "Night club"],
    ]
    await cora.post(f"{REGISTER}/services/add", {**SERVICE, "name": "Day club"})
    done = await store(north, cora, await upload(cora, workbook(rows), listed="Services"))
    assert "2 new 0 changed 0 as before 2 left out" in done.words
    assert await found(north, "Quentin Quiet", "1991-02-01") == []
    assert len(await found(north, "Olga Open", "1971-03-01")) == 1
    path = link_of((await cora.get(REGISTER)).text, "Day club")
    await cora.post(path, {**SERVICE, "sensitivity": "R"})
    assert await found(north, "Olga Open", "1971-03-01") == []
    await cora.post(path, SERVICE)  # what was confidential stays so
    assert await found(north, "Olga Open", "1971-03-01") == []
    page = await cora.post(f"{path}/remove", form=f"{REGISTER}/services/add")
    assert "cannot be removed" in page.words


async def test_the_page_says_what_is_known_of_the_agency_and_who_makes_accounts(north: TestFederation) -> None:
    housing = await north.sign_in("housing", Role.MANAGER)
    page = await housing.get(REGISTER)
    assert "Housing No duty phone yet." in page.words
    assert "Whoever looks after accounts at your agency makes one for them." in page.words
    administrator = await north.sign_in("housing", Role.ADMINISTRATOR)
    assert 'href="/manage/accounts">Make an account' in (await administrator.get(REGISTER)).text
    assert "data of its own" not in page.words


async def test_a_service_that_nobody_works_for_can_be_removed(cora: WebUser) -> None:
    await cora.post(f"{REGISTER}/services/add", {**SERVICE, "name": "Mistake"})
    path = link_of((await cora.get(REGISTER)).text, "Mistake")
    assert "Mistake" not in (await cora.post(f"{path}/remove", form=path)).words
    assert (await cora.get(path)).status == 404


async def test_only_what_was_typed_in_is_listed(north: TestFederation, cora: WebUser) -> None:
    await north.add(FOOD_BANK, *someone("Holly", "Hidden", "1970-01-01", worker="Secret Source"))
    page = await cora.get(REGISTER)
    assert "Vera Vale" in page.words
    assert not any(name in page.text for name in ("Secret Source", "Hidden", "Bertram"))


async def test_a_worker_of_the_list_whom_nobody_typed_in_is_found_too(north: TestFederation, cora: WebUser) -> None:
    rows = [
        ["Client name", "Date of birth", "Key worker", "Key worker phone", "Support worker email", "Team"],
        ["Pike, Robin", "1990-05-06", "Ada Quill", "07700 900302", "ada@example.org", "Evening club"],
    ]
    await cora.post(f"{REGISTER}/services/add", {**SERVICE, "name": "Evening club"})
    page = await upload(cora, workbook(rows), listed="Ada")
    assert "Robin Pike, born 6 May 1990 Ada Quill (new), Evening club" in page.words
    await store(north, cora, page)
    completed = await north.ask("housing", "Robin Pike", born="1990-05-06")
    (row,) = [row for result in completed.results for row in result.rows]
    assert row.professional == "Ada Quill"
    assert "07700 900302" in str(row)


async def test_a_row_that_can_no_longer_be_used_takes_nobody_away(north: TestFederation, cora: WebUser) -> None:
    rows = [["Ref", "Name", "DOB", "Worker"], ["1", "Kay Keeper", "1/2/1962", "Vera Vale"]]
    await store(north, cora, await upload(cora, workbook(rows), listed="Keys"))
    rows[1][1] = ""
    rows.append(["2", "Lou Later", "1/2/1963", "Vera Vale"])
    done = await store(north, cora, await upload(cora, workbook(rows), listed="Keys"))
    assert "1 new 0 changed 0 as before 1 left out" in done.words
    assert "One client stays as they were" in done.words
    assert await found(north, "Kay Keeper", "1962-02-01") == ["Vera Vale"]


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.GOVERNANCE, Role.AUDITOR])
async def test_other_roles_open_none_of_these_pages(north: TestFederation, role: Role) -> None:
    other = await north.sign_in(FOOD_BANK, role)
    for path in (REGISTER, f"{REGISTER}/organisation", f"{REGISTER}/services/add", f"{REGISTER}/people/add", PATH):
        assert (await other.get(path)).status == 403


async def test_nobody_else_sees_a_file_or_a_list(north: TestFederation, cora: WebUser) -> None:
    page = await upload(cora, workbook(people(3, wrong=False)), listed="Only Cora's")
    mona = await north.sign_in(FOOD_BANK, Role.MANAGER, Role.ADMINISTRATOR, name="Mona Manager")
    for path in (page.path, f"{page.path}/left-out.csv"):
        assert (await mona.get(path)).status == 404
    for path in (page.path, f"{page.path}/delete", f"{page.path}/again"):
        assert (await mona.post(path, form=PATH)).status == 404
    start = await mona.get(PATH)
    assert "Only Cora" not in start.words
    assert (await cora.get(page.path)).status == 200
    assert (await cora.post(page.path, {"action": "import"}, token="")).status == 403
    gone = await cora.post(f"{page.path}/delete", form=page.path)
    assert (gone.path, (await cora.get(page.path)).status) == (PATH, 404)


async def test_fields_that_are_wrong_are_said_and_nothing_is_stored(cora: WebUser) -> None:
    page = await cora.post(f"{REGISTER}/services/add", {"phone": "*#21#", "sensitivity": "X"})
    assert page.status == 400
    for words in ("Enter the name of the service", "Select what kind", "Enter a phone number", "how confidential"):
        assert words in page.words
    page = await cora.post(f"{REGISTER}/people/add", {"email": "nobody"})
    assert page.status == 400
    for words in ("Enter their name", "Enter their role", "Enter an email address"):
        assert words in page.words
    page = await cora.post(f"{REGISTER}/organisation", {"name": "", "phone": "call me"})
    assert "Enter the name of your organisation" in page.words
    assert "Enter a phone number" in page.words
    for path in ("services", "people"):
        assert (await cora.get(f"{REGISTER}/{path}/{'0' * 32}")).status == 404


async def test_scripts_in_every_field_are_text(cora: WebUser) -> None:
    evil = "<script>alert(1)</script>"
    await cora.post(f"{REGISTER}/organisation", {"name": evil, "phone": "01632 960300"})
    await cora.post(f"{REGISTER}/services/add", {**SERVICE, "name": evil})
    await cora.post(f"{REGISTER}/people/add", {**VERA, "name": evil + " x", "role": evil, "pattern": evil})
    content = workbook([[evil, "DOB", "Worker"], [evil, "1/2/1990", evil]])
    page = await upload(cora, content, name=f"..\\..\\etc/{evil}.xlsx", listed=evil)
    shown = await cora.post(page.path, {"column-0": "full_name", "column-1": "birth_date", "column-2": "worker"})
    for each in (await cora.get(REGISTER), shown, await cora.get(PATH)):
        assert each.status == 200
        assert evil not in each.text
        assert "&lt;script&gt;" in each.text
    assert "\\" not in shown.words
    await cora.post(f"{page.path}/delete", form=page.path)


async def test_a_row_that_cannot_be_stored_is_named_with_what_is_wrong_and_none_are_not_imported(cora: WebUser) -> None:
    header: list[Cell] = ["Full name", "DOB", "Service"]
    tom: list[Cell] = ["Tom O'Neil", "30/2/1975", "Friday club"]
    una: list[Cell] = ["Una Vale", "3/2/1975", "Befriending <b>"]
    page = await upload(cora, workbook([header, tom, una]), listed="Wrong")
    meant = {"column-0": "full_name", "column-1": "birth_date", "column-2": "service"}
    shown = await cora.post(page.path, meant)
    assert "Tom O'Neil \u2013 DOB: not a date like 27/3/2012" in shown.words
    assert "Una Vale \u2013 “Befriending <b>” is not one of your services: add it" in shown.words
    assert "<b>" not in shown.text
    assert ("None of these rows can be imported." in shown.words, 'value="import"' in shown.text) == (True, False)
    await cora.post(f"{page.path}/delete", form=page.path)
    page = await upload(cora, workbook([header, tom, ["Una Vale", "3/2/1975", "Friday club"]]), listed="Half wrong")
    shown = await cora.post(page.path, meant)
    assert "Rows to import: 1, to leave out: 1. Import" in shown.words
    await cora.post(f"{page.path}/delete", form=page.path)


async def test_columns_that_are_not_enough_are_asked_for(cora: WebUser) -> None:
    page = await upload(cora, workbook([["A", "B"], ["Zoe", "Ng"]]), listed="Bare")
    assert "This is what we would store" not in page.words
    page = await cora.post(page.path, {"column-0": "given_name", "column-1": "given_name", "action": "import"})
    assert page.status == 400
    assert "Another column has this meaning already" in page.words
    assert "Say which column holds the worker or the service" in page.words
    page = await cora.post(page.path, {"column-1": "birth_date", "action": "import"})
    assert "Say which column holds the client's name" in page.words
    await cora.post(f"{page.path}/delete", form=page.path)


async def test_files_are_forgotten_after_a_day_and_no_more_than_five_are_kept(
    north: TestFederation, cora: WebUser
) -> None:
    mona = await north.sign_in(FOOD_BANK, Role.MANAGER, name="Mona Manager")
    small = workbook([["Name", "Worker"], ["Zoe Ng", "Ada Quill"]])
    pages = [await upload(mona, small) for _ in range(6)]
    assert [page.status for page in pages] == [200] * 5 + [409]
    assert "Too many files" in pages[5].words
    folder = north.folder / FOOD_BANK / "data" / "uploads"
    (folder / "stray").write_bytes(b"left by a node that was stopped")
    await north.pages[FOOD_BANK].site.uploads.tidy(north.clock.now() + 86_401)
    assert list(folder.iterdir()) == []
    assert (await mona.get(pages[0].path)).status == 404


PLACED = {"name": "Pat Placed", "born-day": "5", "born-month": "6", "born-year": "1981", "postcode": "ZM4 7QT"}
ADD = f"{REGISTER}/clients/add"


def option(text: str, name: str) -> str:
    """The value of a select's choice."""
    return text.partition(f">{name}<")[0].rpartition('value="')[2].partition('"')[0]


async def test_a_coordinator_adds_a_client_for_a_volunteer(north: TestFederation, cora: WebUser) -> None:
    await cora.post(f"{REGISTER}/services/add", {**SERVICE, "name": "Added club"})
    await cora.post(f"{REGISTER}/people/add", {**VERA, "name": "Ann Adder"})
    form = (await cora.get(ADD)).text
    assert "Secret Source" not in form  # of another source
    page = await cora.post(ADD, PLACED)
    assert page.status == 400
    assert "Select who works with them" in page.words
    fields = {**PLACED, "colleague": option(form, "Ann Adder"), "service": option(form, "Added club"), "role": "Mentor"}
    assert (await cora.post(ADD, {**fields, "colleague": "0" * 32})).status == 400
    assert (await cora.post(ADD, fields)).path == REGISTER
    assert await found(north, "Pat Placed", "1981-06-05") == ["Ann Adder"]


async def test_a_coordinator_is_warned_of_a_duplicate_whom_they_may_be_told_of(north: TestFederation) -> None:
    hana = await north.sign_in("housing", Role.MANAGER, name="Hana Housing")
    await set_up(hana)
    await hana.post(f"{REGISTER}/people/add", {**VERA, "name": "Ann Adder"})
    form = (await hana.get(ADD)).text
    fields = {**PLACED, "colleague": option(form, "Ann Adder")}
    assert (await hana.post(ADD, fields)).path == REGISTER
    fields["colleague"] = option(form, "Vera Vale")
    warned = await hana.post(ADD, fields)
    assert "Somebody like this is known here" in warned.words
    assert "Ann Adder" in warned.words
    assert "Vera Vale" not in warned.words
    assert (await hana.post(ADD, {**fields, "known": "same"})).path == REGISTER
    assert "Vera Vale" in (await hana.post(ADD, fields)).words


async def test_a_coordinator_is_not_told_who_works_with_a_client_of_another_source(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    hana = await north.sign_in("housing", Role.ADMINISTRATOR, name="Hana Housing")
    await hana.post(f"{REGISTER}/services/add", {**SERVICE, "name": "Other club"})
    await hana.post(f"{REGISTER}/people/add", {**VERA, "name": "Una Typed"})
    await north.add("housing", *someone("Orla", "Other", "1977-03-04", key="other", worker="Noor Named"))
    fields = {"name": "Orla Other", "born-day": "4", "born-month": "3", "born-year": "1977", "postcode": "ZM4 7QT"}
    form = (await hana.get(ADD)).text
    fields |= {"colleague": option(form, "Una Typed"), "service": option(form, "Other club")}
    caplog.set_level("INFO")
    page = await hana.post(ADD, {**fields, "known": "same"})
    assert (page.path, "Noor Named" in page.text) == (REGISTER, False)
    (said,) = [each for each in caplog.records if each.message == "client.added_for_colleague"]
    assert said.__dict__["event_fields"] == {"account": hana.id, "colleague": fields["colleague"], "known": True}
    noor = await north.sign_in("housing", Role.PRACTITIONER, name="Noor Named", workers=["w-other"])
    path = await clients_path(noor)
    entries = await north.nodes["housing"].parts.ledger.about([int(path.rpartition("/")[2])])
    assert hana.id in [entry.body["by"] for entry in entries if entry.body is not None]  # though they only joined
    assert "Una Typed" in (await noor.get(path)).words
    warned = await hana.post(ADD, fields)
    assert ("Una Typed" in warned.words, "Noor Named" in warned.text) == (True, False)
    await north.add("housing", *someone("Olga", "Second", "1971-03-04", key="second", worker="Noah Second"))
    warned = await hana.post(ADD, {**fields, "name": "Olga Second", "born-year": "1971"})
    assert "Somebody in this agency works with a person whose details are like those of Olga Second" in warned.words
    assert "Noah Second" not in warned.text


async def clients_path(user: WebUser) -> str:
    """Where the only client's pages begin."""
    found = re.search(r'href="(/clients/[0-9]+)"', (await user.get("/clients")).text)
    assert found
    return found[1]
