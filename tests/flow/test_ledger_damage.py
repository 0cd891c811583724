"""A ledger file that was changed, swapped, cut or lost: the node discloses nothing, says why, and recovers."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from consent_ledger.heads import Said
from consent_ledger.read import TreeHead
from gateway.errors import ConfigurationError, StorageError
from gateway.node import checkpoints
from gateway.node.results import MemberOutcome
from gateway.wire.join import sign_join
from gateway.wire.keys import LedgerKey
from tests.federation import NAME, TestFederation, federation, result_of, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.UNREACHABLE
QUESTIONS = 3


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members; two have answered some questions, and the hub has cosigned their ledgers."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as running:
        for member in (AGENCY, OTHER):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        for _ in range(QUESTIONS):
            assert await ask(running) is TEAMS
        for member in (AGENCY, OTHER):
            await running.nodes[member].checkpoints.visit()
        yield running


async def ask(north: TestFederation) -> MemberOutcome:
    return result_of(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"), AGENCY).outcome


async def start(north: TestFederation) -> str:
    """Start as `patchwork node serve` does, and recompute once; returns why nothing is disclosed, if so."""
    await north.start(AGENCY)
    node = north.nodes[AGENCY]
    await north.refresh(AGENCY)
    await node.checkpoints.begin()
    await node.checkpoints.recompute()
    return node.parts.standing.doubt


def ledger(north: TestFederation, member: str = AGENCY) -> Path:
    return north.folder / member / "data" / "ledger.db"


def sql(statement: str) -> Callable[[Path], None]:
    """What somebody does who can write the file."""

    def change(file: Path) -> None:
        with closing(sqlite3.connect(file)) as database, database:
            for trigger in ("entry_is_never_changed", "entry_is_never_removed"):
                database.execute(f"DROP TRIGGER {trigger}")
            database.execute(statement)

    return change


def overwrite_page(file: Path) -> None:
    """What a failing disk does, far from what is read to answer: the page that has the oldest entry."""
    with closing(sqlite3.connect(file)) as database:
        ((leaf,),) = database.execute("SELECT leaf FROM entry WHERE seq = 0")
        ((page_bytes,),) = database.execute("PRAGMA page_size")
    content = bytearray(file.read_bytes())
    at = content.index(leaf) // page_bytes * page_bytes
    content[at : at + page_bytes] = b"\xff" * page_bytes
    file.write_bytes(content)


CHANGES = {
    "an edited leaf": (sql("UPDATE entry SET leaf = zeroblob(600) WHERE seq = 1"), "entry 1 does not have its hash"),
    "an edited hash": (
        sql("UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = 1"),
        "entry 1 does not have its hash",
    ),
    "a row deleted in the middle": (sql("DELETE FROM entry WHERE seq = 1"), "entry 1 is missing"),
    "the last row deleted": (sql("DELETE FROM entry WHERE seq = 3"), "is missing|does not fit"),
    "another size": (sql("UPDATE ledger_head SET size = 0, peaks = x''"), "the head does not fit the entries"),
    "an entry moved to another key": (
        sql("UPDATE entry SET key_id = randomblob(16) WHERE seq = 1"),
        "entry 1 stands under a key that is not in the key store",
    ),
    "two entries that changed keys": (
        sql("UPDATE entry SET key_id = (SELECT key_id FROM entry e WHERE e.seq = 1 - entry.seq) WHERE seq IN (0, 1)"),
        "entry 0: an entry was not sealed under the key on record",
    ),
    "a row before the first": (
        sql("INSERT INTO entry SELECT -5, federation, key_id, leaf, leaf_hash FROM entry WHERE seq = 1"),
        "rows that are none of the entries",
    ),
    "a subtree too many": (
        sql("INSERT INTO tree_node VALUES (9, 77, zeroblob(32))"),
        "subtrees that are none of the entries'",
    ),
    "forgotten questions": (sql("DELETE FROM replay"), "not among those that are remembered"),
    "counts ahead": (sql("UPDATE exchange_head SET next_seq = 100000"), "counts between members are ahead"),
    "an edited subtree": (
        sql("UPDATE tree_node SET hash = zeroblob(32) WHERE level = 1"),
        "does not fit|are not those",
    ),
    "one page of old entries overwritten": (overwrite_page, "ledger database ledger.db: the file is damaged"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_what_was_changed_in_the_file_is_named_and_nothing_disclosed_until_it_is_put_back(
    north: TestFederation, name: str
) -> None:
    change, reason = CHANGES[name]
    await north.stop(AGENCY)
    good = ledger(north).read_bytes()
    change(ledger(north))
    doubt = await start(north)
    assert any(each in doubt for each in reason.split("|")), doubt
    assert await ask(north) is UNREACHABLE
    await north.stop(AGENCY)
    ledger(north).write_bytes(good)
    assert await start(north) == ""
    assert await ask(north) is TEAMS


async def test_a_recomputation_that_could_not_read_is_tried_again_within_a_minute_and_not_tomorrow(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was locked, say: that is no damage, so the node goes on answering, but nothing was verified either."""
    node, done = north.nodes[AGENCY], asyncio.Event()
    verify = node.parts.ledger.verify
    tries = 0

    async def locked_at_first(*, pause_s: float, **_: object) -> TreeHead:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise StorageError("ledger database ledger.db: it is locked by another process")
        head = await verify(pause_s=pause_s)
        done.set()
        return head

    monkeypatch.setattr(node.parts.ledger, "verify", locked_at_first)
    monkeypatch.setattr(checkpoints, "DAMAGED_S", 0.01)
    task = asyncio.create_task(node.checkpoints.keep_verified())
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    assert node.parts.standing.doubt == ""


async def test_another_agencys_ledger_in_its_place_discloses_nothing(north: TestFederation) -> None:
    for member in (AGENCY, OTHER):
        await north.stop(member)
    shutil.copyfile(ledger(north, OTHER), ledger(north))
    assert await start(north) == "the ledger file is another agency's"
    assert await ask(north) is UNREACHABLE


async def test_a_ledger_file_that_has_gone_discloses_nothing(north: TestFederation) -> None:
    """A new, empty one is made in its place: only the hub knows that there was more."""
    await north.stop(AGENCY)
    ledger(north).unlink()
    assert "fewer than what the hub holds" in await start(north)
    assert await ask(north) is UNREACHABLE


async def test_a_file_full_of_other_bytes_does_not_start(north: TestFederation) -> None:
    await north.stop(AGENCY)
    content = bytearray(ledger(north).read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    ledger(north).write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        await start(north)


async def test_a_record_half_written_when_the_power_failed_was_never_answered_and_is_dropped(
    north: TestFederation,
) -> None:
    """The write-ahead log ends inside the frame of the last commit, as on a disk that stopped in the middle."""
    size = (await north.nodes[AGENCY].parts.ledger.head()).size
    assert await ask(north) is TEAMS
    torn = north.folder / "torn"
    shutil.copytree(ledger(north).parent, torn)
    log = torn / "ledger.db-wal"
    log.write_bytes(log.read_bytes()[:-100])
    await north.stop(AGENCY)
    shutil.rmtree(ledger(north).parent)
    shutil.copytree(torn, ledger(north).parent)
    assert await start(north) == ""
    assert (await north.nodes[AGENCY].parts.ledger.verify()).size == size
    assert await ask(north) is TEAMS


async def test_a_lost_ledger_key_does_not_start_and_a_new_one_waits_for_an_officer(north: TestFederation) -> None:
    await north.stop(AGENCY)
    file = north.folder / AGENCY / "keys" / "ledger.pem"
    file.unlink()
    with pytest.raises(ConfigurationError, match=r"ledger\.pem: key cannot be read"):
        await start(north)
    shutil.copyfile(file.with_name("signing.pem"), file)
    file.chmod(0o640)
    with pytest.raises(ConfigurationError, match=r"ledger\.pem: .*(0640|640)"):
        await start(north)
    file.unlink()

    new = LedgerKey.generate()
    new.save(file)
    member = replace(north.operator.document.members[AGENCY], ledger_key=new.public_jwk())
    assert "has not yet been compared" in await start(north)
    signing_key = north.nodes[AGENCY].parts.me.signing_key
    request = sign_join(member, signing_key, federation=NAME, now=north.clock.now())
    await north.publish(lambda operator: operator.update(request, north.clock.now()))
    await north.refresh()
    node = north.nodes[AGENCY]
    await node.checkpoints.begin()
    assert "this node's ledger key has not signed" in node.parts.standing.doubt
    assert await ask(north) is UNREACHABLE

    (answer,) = await node.checkpoints.witnesses.ask()
    assert answer.foreign is not None
    opened = await node.checkpoints.open_epoch(answer.foreign.head)  # what `patchwork ledger restore` does
    assert [(word.said, word.reason) for word in opened.words] == [(Said.COSIGNED, "")]
    await node.checkpoints.compare()
    assert await ask(north) is TEAMS
