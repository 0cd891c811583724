"""Files that were made to do harm, sent to the page for uploads: refused with a reason, kept nowhere, and soon."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.spreadsheet import MAX_FILE_BYTES
from gateway.accounts.account import Role
from gateway.web import upload_preview
from tests.contract.workbook import archive, xlsx
from tests.federation import TestFederation, federation
from tests.web.lists import FOOD_BANK, PATH, SERVICE, choices, set_up, store, upload, workbook
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "Katherine Bramley"


@cache
def slow() -> bytes:
    """Small as a file and below every limit of size: thousands of rows of short cells."""
    rows = (b"<row>%b</row>" % (b'<c t="inlineStr"><is><t>a</t></is></c>' * 60)) * 45_000
    return xlsx([], more={"xl/worksheets/sheet1.xml": b"<worksheet><sheetData>%b</sheetData></worksheet>" % rows})


def kept(north: TestFederation) -> list[Path]:
    """The files that lie in the node's folder for them."""
    return list((north.folder / FOOD_BANK / "data" / "uploads").glob("*"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [FOOD_BANK], web=True) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cora(north: TestFederation) -> WebUser:
    coordinator = await north.sign_in(FOOD_BANK, Role.MANAGER, name="Cora Coordinator")
    await set_up(coordinator)
    return coordinator


@pytest.mark.parametrize(
    ("content", "said"),  # content that takes long to make is made when it is needed
    [
        (b"", "Select a file that is not empty"),
        (b"MZ\x90\x00", "is it a spreadsheet"),
        (lambda: archive({"xl/worksheets/sheet1.xml": bytes(151_000_000)}), "it unpacks to more"),
        (xlsx([["Name"], [SECRET]], more={"xl/vbaProject.bin": b"x"}), "it holds macros"),
        (xlsx([]), "it is empty"),
        (f'Name\n"{SECRET}\n'.encode(), "does not end"),
        (b"\xff\xfe\x00\xd8Name", ""),
        (b"," * 1_000_000, ""),
    ],
    ids=["empty", "program", "bomb", "macros", "empty sheet", "quotation", "wrong encoding", "columns"],
)
async def test_a_hostile_file_is_refused_and_not_kept(
    north: TestFederation, cora: WebUser, content: bytes | Callable[[], bytes], said: str
) -> None:
    file = content if isinstance(content, bytes) else content()
    begun = time.monotonic()
    page = await upload(cora, file, name="../../../../tmp/list.xlsx")
    assert page.status == 400
    assert "There is a problem" in page.words
    assert said in page.words
    assert SECRET not in page.text
    assert kept(north) == []
    assert time.monotonic() - begun < 10


async def test_a_workbook_that_takes_long_is_given_up_and_not_kept(
    north: TestFederation, cora: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_preview, "READ_S", 0.2)
    page = await upload(cora, slow())
    assert page.status == 400
    assert "it unpacks to more than can be read" in page.words
    assert kept(north) == []


async def test_whoever_hangs_up_leaves_no_file_behind_and_soon_nothing_is_read(
    north: TestFederation, cora: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_preview, "READ_S", 1.0)
    slow()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await upload(cora, slow())
    async with asyncio.timeout(5):
        while upload_preview._waiting or kept(north):  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.02)


async def test_few_wait_for_files_to_be_read_and_the_next_is_told(
    north: TestFederation, cora: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_preview, "MAX_WAITING_EACH", 0)
    page = await upload(cora, b"Name\nNia\n")
    assert page.status == 429
    assert "Other files are being read" in page.words
    assert kept(north) == []


async def test_a_file_that_has_gone_is_said_to_be_unusable(north: TestFederation, cora: WebUser) -> None:
    page = await upload(cora, b"Name\nNia\n", listed="Gone")
    (path,) = kept(north)
    path.unlink()
    page = await cora.get(page.path)
    assert page.status == 400
    assert "This file cannot be used" in page.words


async def test_a_file_that_is_being_looked_at_is_not_tidied_away(north: TestFederation) -> None:
    uploads = north.pages[FOOD_BANK].site.uploads
    async with uploads.arriving(b"Name\n") as public_id:
        await uploads.tidy(north.clock.now())
        assert uploads.path(public_id).exists()
    await uploads.tidy(north.clock.now())
    assert not uploads.path(public_id).exists()


async def test_a_file_that_is_too_large_is_refused_while_it_is_read(cora: WebUser) -> None:
    page = await upload(cora, b"Name\n" + b"x" * (MAX_FILE_BYTES + 100_000))
    assert page.status == 413


async def test_formulas_and_scripts_in_cells_are_kept_as_text_and_come_back_harmless(
    north: TestFederation, cora: WebUser
) -> None:
    evil = "=cmd|' /C calc'!A0"
    rows = [["Name", "DOB", "Worker"], [evil, "31/2/2010", "Vera Vale"], ["+Nia", "@now", "-Vera"]]
    rows += [[name, "1/2/1990", "Vera Vale"] for name in ("Olga Open", "Otto Other", "Nora New")]
    page = await upload(cora, workbook(rows), listed="Formulas")
    page = await store(north, cora, page)
    assert "3 new 0 changed 0 as before 2 left out" in page.words
    async with cora._session.get(f"{page.path}/left-out.csv") as answer:
        text = (await answer.read()).decode("utf-8-sig")
        assert answer.headers["Cache-Control"] == "no-store"
    assert [line.split(",")[0] for line in text.splitlines()] == ["Name", f"'{evil}", "'+Nia"]
    assert ",'@now,'-Vera," in text
    page = await upload(cora, text.encode(), listed="Formulas")  # as it is, it says the same again
    assert "not a date like 27/3/2012" in page.words


async def test_a_mapping_that_a_browser_makes_up_counts_as_none(cora: WebUser) -> None:
    page = await upload(cora, workbook([["Name", "Worker"], ["Zoe Ng", "Vera Vale"]]), listed="Made up")
    made_up = {**choices(page), "column-0": "restricted", "column-7": "key", "service": "0" * 32, "action": "import"}
    page = await cora.post(page.path, made_up)
    assert page.status == 400
    assert "Say which column holds the client's name" in page.words
    assert (await cora.post(f"{PATH}/{'0' * 32}", form=PATH)).status == 404


async def test_a_service_of_another_kind_than_those_offered_is_none(cora: WebUser) -> None:
    page = await cora.post("/manage/register/services/add", {**SERVICE, "code": "drug-clinic"})
    assert "Select what kind of service it is" in page.words
