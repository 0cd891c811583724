"""What the hub hears at a node's door when that node's ledger is in doubt or cannot be written."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from gateway.database import sqlite_connection
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.paths import READY_PATH
from tests.federation import TestFederation, federation, someone
from tests.flow.test_node_door import check_refusal
from tests.lying_hub import LyingHub, Reply

ASKER, AGENCY = "childrens-services", "housing"


@pytest.fixture
async def north(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestFederation]:
    """A question about somebody whom the agency knows, kept by the hub; nodes wait 50 ms for a lock."""
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT_MS", 50)
    async with federation(tmp_path, [ASKER, AGENCY], lying=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        assert running.liar is not None
        running.liar.keeps_questions = True
        await running.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        yield running


@pytest.fixture
def liar(north: TestFederation) -> LyingHub:
    """Whoever hands over the question."""
    assert north.liar is not None
    return north.liar


async def test_a_ledger_in_doubt_answers_no_question_and_says_so_to_whoever_asks_for_its_health(
    north: TestFederation, liar: LyingHub
) -> None:
    standing = north.nodes[AGENCY].parts.standing
    standing.close("the ledger has 2 entries, fewer than what the hub holds")
    check_refusal(await liar.deliver(AGENCY, liar.stolen(AGENCY)), 503, "ledger-doubtful")
    check_refusal(await health(north), 503, "ledger-doubtful")
    assert await north.ledger(AGENCY) == []
    standing.open()
    assert (await health(north)).status == 200
    assert len((await liar.deliver(AGENCY, liar.stolen(AGENCY))).body) == SEALED_ANSWER_BYTES


async def test_a_locked_ledger_answers_nothing_until_it_is_free_and_the_question_is_still_open(
    north: TestFederation, liar: LyingHub
) -> None:
    with closing(sqlite3.connect(north.folder / AGENCY / "data" / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        check_refusal(await liar.deliver(AGENCY, liar.stolen(AGENCY)), 503, "storage")
        other.execute("ROLLBACK")
    assert await north.ledger(AGENCY) == []
    assert len((await liar.deliver(AGENCY, liar.stolen(AGENCY))).body) == SEALED_ANSWER_BYTES
    assert [body["outcome"] for body in await north.ledger(AGENCY)] == ["teams"]


async def health(north: TestFederation) -> Reply:
    url = f"http://127.0.0.1:{north.ports[AGENCY]}{READY_PATH}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return Reply(status=response.status, body=await response.read(), headers=response.headers)
