"""Sources on pages: how old the data is, what could not be read, an import now, and removals that must be confirmed."""

import asyncio
import csv
import io
import re
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.app import web
from gateway.app.import_worker import ImportOrder, import_apart, read_order, run_order
from gateway.database.contract import Statement, Work
from gateway.settings import NodeSettings, load_node
from gateway.web.imports import start_import
from tests.federation import TestFederation, federation
from tests.web.test_every_page import XSS
from tests.web_user import Shown, WebUser

HOUSING = "housing"
ROOT = Path(__file__).parents[2]
PAGE = "/manage/sources"
ONE = f"{PAGE}/tenancies"
IMPORT = f"{ONE}/import"
SOURCES = """
[[source]]
name = "tenancies"
mapping = "demo_housing"
options = { path = "tenancies.csv" }
[[source]]
name = "absent"
mapping = "demo_housing"
options = { path = "none.csv" }
"""
COLUMNS = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;Do Not Disclose Address;NHS No;Officer Ref;Housing Officer;Officer Tel;"
    "Officer Mobile;Officer Email;Best Contact;Start Date;End Date;Status;Last Visit;Next Visit;Household With"
)
ROW = "{ref};Quillfeather, Kit;{born};1 Orchard Way;ZM4 7QT;;;O1;Smith, Wendy;01632 960123;;;;{start};;CUR;;;"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Imports run in this process, but for one test; the clock is the machine's own at its start, as theirs is."""
    folder = tmp_path_factory.mktemp("north")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "import_apart", import_here)
        async with federation(folder, [HOUSING], web=True, web_options=SOURCES, now=time.time()) as running:
            yield running


async def import_here(settings: NodeSettings, source: str, confirmed: int) -> None:
    """What the other process does, with what it is sent."""
    await run_order(read_order(ImportOrder(settings=settings, source=source, confirmed=confirmed).as_json()))


def export(north: TestFederation, number: int, *, born: Sequence[str] = ()) -> None:
    """What the case system writes: so many tenancies, and one more for each of `born` that may not be a date."""
    rows = [ROW.format(ref=f"T{each}", born=f"17/05/{1900 + each}", start="01/02/2024") for each in range(number)]
    rows += [ROW.format(ref=f"B{each}", born=when, start="01/02/2024") for each, when in enumerate(born)]
    rows += [ROW.format(ref="", born="17/05/1991", start="01/02/2024")] if born else []
    (north.folder / HOUSING / "tenancies.csv").write_text("\n".join([COLUMNS, *rows, ""]))


def people() -> Work[int]:
    ((count,),) = yield Statement("SELECT count(*) FROM involvement")
    return int(count)


async def known(north: TestFederation) -> int:
    return await north.nodes[HOUSING].database.read(people())


async def imported(north: TestFederation, who: WebUser, page: Shown) -> Shown:
    """The source's page, once the import that it shows is over."""
    assert (page.status, page.path) == (200, ONE), page.words
    async with asyncio.timeout(30):
        while "Check again" in page.words:
            await asyncio.sleep(0.1)
            page = await who.get(ONE)
    return page


async def test_an_import_shows_what_it_read_what_it_could_not_and_removes_only_what_is_confirmed(
    north: TestFederation,
) -> None:
    gerald = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    assert "Never read to its end" in (await gerald.get(PAGE)).words
    typed_in = await gerald.get("/manage/register")  # which is for those who have no such system
    assert "data of its own here (tenancies, absent)" in typed_in.words
    export(north, 10, born=["nonsense", "=cmd()"])
    page = await imported(north, gerald, await gerald.post(IMPORT, form=ONE))
    assert await known(north) == 12  # those with a bad date are known without it
    assert "Read to its end within the last day" in page.words
    assert "1 record could not be read" in page.words
    assert "Complete 12 0 0 0 1 0" in page.words
    assert "not a date of the form %d/%m/%Y or %Y DOB 2 tenancies.csv line 12" in page.words
    assert "nonsense" not in page.text
    assert str(north.folder) not in page.text

    link = re.findall(r'href="(/manage/sources/tenancies/rejected/\d+)"', page.text)[0]
    file = await gerald.get(link)
    lines = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [line["place"] for line in lines if line["field"] == "DOB"] == [
        "tenancies.csv line 12",
        "tenancies.csv line 13",
    ]
    assert [line["place"] for line in lines if line["whole_record"] == "yes"] == ["tenancies.csv line 14"]
    assert not re.search(r"nonsense|cmd|Quillfeather", file.text)
    assert not any(value.startswith(("=", "+", "-", "@")) for line in lines for value in line.values())

    export(north, 2)
    page = await imported(north, gerald, await gerald.post(IMPORT, form=ONE))
    assert "10 records are no longer in the source" in page.words
    assert "(20%), so nothing was removed" in page.words
    assert await known(north) == 12
    run = re.findall(r'name="run" value="(\d+)"', page.text)[0]
    for fields, said in (
        ({"run": run}, "Confirm that these records are to be removed"),
        ({"run": "1", "sure": "yes"}, "Another import has run meanwhile"),
    ):
        refused = await gerald.post(IMPORT, fields, form=ONE)
        assert (refused.status, said in refused.words) == (400, True)
    export(north, 1)  # one more has gone since somebody looked: that is not what they confirmed
    page = await imported(north, gerald, await gerald.post(IMPORT, {"run": run, "sure": "yes"}, form=ONE))
    assert "11 records are no longer in the source" in page.words
    assert await known(north) == 12
    run = re.findall(r'name="run" value="(\d+)"', page.text)[0]
    page = await imported(north, gerald, await gerald.post(IMPORT, {"run": run, "sure": "yes"}, form=ONE))
    assert "no longer in the source" not in page.words
    assert await known(north) == 1


async def test_a_source_that_cannot_be_read_says_that_it_broke_off(north: TestFederation) -> None:
    gerald = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    page = await gerald.post(f"{PAGE}/absent/import", form=f"{PAGE}/absent")
    async with asyncio.timeout(30):
        while "Check again" in page.words:
            await asyncio.sleep(0.1)
            page = await gerald.get(f"{PAGE}/absent")
    assert "broke off" in page.words
    assert "none.csv" not in page.text


async def test_one_import_runs_at_a_time(north: TestFederation) -> None:
    gerald = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    site = north.pages[HOUSING].site

    async def for_ever(_: object) -> None:
        await asyncio.Event().wait()

    job = start_import(site.background, "tenancies", for_ever)
    running = await gerald.get(ONE)
    assert "An import is starting" in running.words
    assert "Import now" not in running.words
    other = await gerald.get(f"{PAGE}/absent")
    assert "The source tenancies is being imported now" in other.words
    again = await gerald.post(f"{PAGE}/absent/import", form="/account")
    assert (again.status, "An import is under way" in again.words) == (400, True)
    site.background.stop(job)
    await asyncio.sleep(0)
    assert "Import now" in (await gerald.get(ONE)).words
    job = start_import(site.background, "0" * 32, for_ever)
    assert "An uploaded list is being imported now" in (await gerald.get(ONE)).words
    site.background.stop(job)


async def test_an_import_is_a_process_of_its_own_that_reads_what_the_node_would(north: TestFederation) -> None:
    export(north, 1)
    await import_apart(north.nodes[HOUSING].settings, "tenancies", 0)
    page = await (await north.sign_in(HOUSING, Role.ADMINISTRATOR)).get(ONE)
    assert re.search(r"Complete 0 0 1 0 0 0", page.words), page.words


async def test_roles_tokens_and_addresses_are_checked(north: TestFederation) -> None:
    for role in Role:
        who = await north.sign_in(HOUSING, role)
        looks = role in {Role.ADMINISTRATOR, Role.MANAGER, Role.AUDITOR}
        assert [(await who.get(path)).status for path in (PAGE, ONE)] == [200 if looks else 403] * 2
        if role is not Role.ADMINISTRATOR:
            assert (await who.post(IMPORT, form="/account")).status == 403
            if looks:
                assert "Import now" not in (await who.get(ONE)).words
    gerald = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    assert (await gerald.post(IMPORT, token="")).status == 403
    for path in (
        f"{PAGE}/pages",
        f"{PAGE}/..%2f..",
        f"{ONE}/rejected/999",
        f"{PAGE}/absent/rejected/1",
        f"{PAGE}/{XSS}",
    ):
        page = await gerald.get(path)
        assert (page.status, "<script>alert" in page.text) == (404, False)
    assert (await gerald.post(f"{PAGE}/nowhere/import", form=PAGE)).status == 404


async def test_what_a_source_calls_its_columns_is_text_and_no_formula(north: TestFederation) -> None:
    def hostile() -> Work[None]:
        ((run_id,),) = yield Statement("SELECT max(id) FROM import_run")
        yield Statement(
            "INSERT INTO rejected_record (run_id, place, field, reason, whole_record) VALUES (?, ?, ?, ?, 1)",
            (run_id, f"/srv/secret/{XSS} line 1", f"=HYPERLINK({XSS})", f"+{XSS}"),
        )

    await north.nodes[HOUSING].database.write(hostile())
    gerald = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    for path in (ONE, f"{PAGE}/absent"):
        page = await gerald.get(path)
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        for link in re.findall(r'href="(/manage/sources/\w+/rejected/\d+)"', page.text):
            file = (await gerald.get(link)).text
            assert ",=HYPERLINK" not in file
            assert ',"=HYPERLINK' not in file
            assert "/srv/secret" not in file


async def test_what_the_other_process_is_sent_is_the_nodes_own_settings() -> None:
    settings = load_node(ROOT / "config" / "node.toml")
    order = ImportOrder(settings=settings, source="tenancies", confirmed=3)
    assert read_order(order.as_json()) == order
