"""The ledger's page: what is known of the record, having it recomputed, and finding what was changed in it."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.errors import LedgerDoubtful
from gateway.node import checkpoints
from gateway.web.ledger_page import VERIFY
from tests.federation import TestFederation, federation, someone
from tests.web_user import Shown, WebUser

ASKER, AGENCY = "childrens-services", "housing"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [ASKER, AGENCY], web=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def adam(north: TestFederation) -> WebUser:
    return await north.sign_in(AGENCY, Role.ADMINISTRATOR)


async def size(north: TestFederation) -> int:
    return (await north.nodes[AGENCY].parts.ledger.head()).size


async def looked_again(user: WebUser) -> Shown:
    """The page once nothing runs any more, as somebody without JavaScript comes to see it."""
    async with asyncio.timeout(60):
        while True:
            page = await user.get("/manage/ledger")
            assert page.status == 200
            if "Check again" not in page.words:
                return page
            await asyncio.sleep(0.02)


async def test_the_page_says_how_far_the_record_is_signed_and_by_whom(north: TestFederation, adam: WebUser) -> None:
    page = await adam.get("/manage/ledger")
    assert "This node has not signed it yet" in page.words
    assert "No witness has signed for it yet" in page.words
    await north.nodes[AGENCY].checkpoints.visit()
    north.clock.turn(180)
    page = await adam.get("/manage/ledger")
    assert "In order, as far as is known" in page.words
    assert re.search(f"The hub: signed for {await size(north)} entries, 21 September 2026", page.words)
    assert re.search(r'pw-figure__number">3</dd>', page.text)  # minutes
    assert not re.search("Katherine|Bramley", page.text)


async def test_verifying_goes_on_by_itself_and_the_page_says_what_came_of_it(
    north: TestFederation, adam: WebUser
) -> None:
    assert "once a day" in (await adam.get("/manage/ledger")).words
    begun = await adam.post("/manage/ledger/verify", {}, form="/manage/ledger")
    assert begun.path == "/manage/ledger"
    page = await looked_again(adam)
    assert f"All {await size(north)} entries are as they were written" in page.words
    assert f"The hub vouches for the first {await size(north)} entries" in page.words
    assert "It has all that the witnesses who answered hold of it" in page.words


async def test_one_verification_runs_at_a_time_and_ends_with_the_node(
    north: TestFederation, adam: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "VERIFY_PAUSE_S", 60.0)
    site = north.pages[AGENCY].site
    running = await adam.post("/manage/ledger/verify", {}, form="/manage/ledger")
    await asyncio.sleep(0.05)
    job = site.background.latest(VERIFY)
    assert job is not None
    page = await adam.get("/manage/ledger")
    assert f"{job.total} of {job.total} entries have been looked at" in page.words
    assert "Verify now" not in page.words
    again = await adam.post("/manage/ledger/verify", {}, token=running.token)
    assert again.path == "/manage/ledger"
    assert site.background.latest(VERIFY) is job
    await north.stop(AGENCY)
    assert job.over
    await north.start(AGENCY)


async def test_counts_are_compared_with_the_other_agencies(north: TestFederation) -> None:
    gwen = await north.sign_in(AGENCY, Role.GOVERNANCE)
    assert "Nobody has compared counts" in (await gwen.get("/manage/ledger")).words
    north.clock.turn(3 * 3600)
    await north.publish()
    await north.refresh()
    gwen = await north.sign_in(AGENCY, Role.GOVERNANCE)
    await gwen.post("/manage/ledger/compare", {}, form="/manage/ledger")
    page = await looked_again(gwen)
    assert re.search("childrens-services *: *(1 answers sent until .* and none is missing|no statement)", page.words)


async def test_an_auditor_reads_it_and_starts_nothing_and_others_do_not_see_it(north: TestFederation) -> None:
    audrey = await north.sign_in(AGENCY, Role.AUDITOR)
    page = await audrey.get("/manage/ledger")
    assert "Verify now" not in page.words
    assert "Compare with" not in page.words
    token = (await audrey.get("/account")).token
    for path in ("/manage/ledger/verify", "/manage/ledger/compare"):
        assert (await audrey.post(path, {}, token=token)).status == 403
    for role in (Role.PRACTITIONER, Role.MANAGER):
        other = await north.sign_in(AGENCY, role)
        assert (await other.get("/manage/ledger")).status == 403
    gwen = await north.sign_in(AGENCY, Role.GOVERNANCE)
    assert (await gwen.post("/manage/ledger/verify", {}, token="")).status == 403
    proof = await audrey.get("/manage/ledger/proof?seq=1")
    assert proof.path == "/manage/audit/1/proof"
    assert proof.headers["Content-Disposition"] == 'attachment; filename="inclusion-1.json"'
    for seq in ("", "x", "-1", "1e3", "9" * 30, "99999"):
        assert (await audrey.get(f"/manage/ledger/proof?seq={seq}")).status == 404


async def test_an_entry_that_was_changed_is_found_and_nothing_is_disclosed_from_then_on(north: TestFederation) -> None:
    adam = await north.sign_in(AGENCY, Role.ADMINISTRATOR)
    with sqlite3.connect(north.folder / AGENCY / "data" / "ledger.db") as file:
        file.execute("DROP TRIGGER entry_is_never_changed")
        file.execute("UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = 1")
    await adam.post("/manage/ledger/verify", {}, form="/manage/ledger")
    page = await looked_again(adam)
    assert "The record is in doubt" in page.words
    assert "entry 1 does not have its hash" in page.words
    assert "Nothing is disclosed at the moment" in page.words
    with pytest.raises(LedgerDoubtful):
        north.nodes[AGENCY].parts.standing.check()
