"""Witnesses cosign what only grew, refuse what was rewritten, and a node that lost entries discloses nothing."""

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from consent_ledger import heads, witness
from consent_ledger.checkpoint import cosign
from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.heads import Said
from consent_ledger.merkle import TreeHasher, leaf_hash
from gateway.database.contract import Work
from gateway.errors import LedgerDoubtful
from gateway.node import checkpoints
from gateway.node.checkpoints import Visit
from gateway.node.results import MemberOutcome
from gateway.node.witnesses import Answer
from gateway.wire.checkpoints import Verdict
from tests.federation import TestFederation, federation, result_of, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, NOTHING, UNREACHABLE = (
    MemberOutcome.TEAMS,
    MemberOutcome.NOTHING_TO_DISCLOSE,
    MemberOutcome.UNREACHABLE,
)
WITNESSED_BY_OTHER = f'[ledger]\nwitnesses = ["{OTHER}"]\n'


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members; the hub and one of them are witnesses of the agency that knows Katherine."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as running:
        with (running.folder / AGENCY / "node.toml").open("a") as config:
            config.write(WITNESSED_BY_OTHER)
        await restart(running)
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def restart(north: TestFederation) -> None:
    """Stop the agency's node and start it as `patchwork node serve` does."""
    if AGENCY in north.nodes:
        await north.stop(AGENCY)
    await north.start(AGENCY)
    await north.refresh(AGENCY)
    await north.nodes[AGENCY].checkpoints.begin()


async def ask(north: TestFederation) -> MemberOutcome:
    return result_of(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"), AGENCY).outcome


async def visit(north: TestFederation) -> Visit:
    return await north.nodes[AGENCY].checkpoints.visit()


def said(round_: Visit) -> dict[str, Said]:
    return {word.witness: word.said for word in round_.words}


async def test_hub_and_member_cosign_a_ledger_that_grows(north: TestFederation) -> None:
    for _ in range(3):
        assert await ask(north) is TEAMS
        first = await visit(north)
        assert said(first) == {"hub": Said.COSIGNED, OTHER: Said.COSIGNED}
    storage = north.nodes[AGENCY].ledger_database
    kept = await storage.read(heads.page((0, 0), 10))
    assert [each.checkpoint.head.size for each in kept] == sorted({each.checkpoint.head.size for each in kept})
    assert [len(each.cosignatures) for each in kept] == [2, 2, 2]
    # Offered again, because some witness was not heard: the same checkpoint, and no second row.
    again = await north.nodes[AGENCY].checkpoints.visit(sign=False)
    assert again.stored.note == kept[-1].note
    assert len(await storage.read(heads.page((0, 0), 10))) == 3


@pytest.mark.parametrize("faster", [{"sign": True}, {"sign": False}])
async def test_two_processes_of_one_node_that_sign_at_once_are_no_alarm(
    north: TestFederation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, faster: dict[str, bool]
) -> None:
    """`patchwork ledger checkpoint` beside the node that serves: its head is cosigned just before ours comes."""
    await visit(north)
    serving = north.nodes[AGENCY].checkpoints
    command = await north.open(AGENCY)
    await command.parts.membership.refresh()
    await ask(north)
    submit, overtaken = serving.witnesses.submit, False

    async def overtake(witness: str, note: str, proof: Sequence[bytes]) -> Verdict:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            assert set(said(await command.checkpoints.visit(**faster)).values()) == {Said.COSIGNED}
        return await submit(witness, note, proof)

    monkeypatch.setattr(serving.witnesses, "submit", overtake)
    with caplog.at_level(logging.WARNING, "patchwork"):
        assert set(said(await visit(north)).values()) == {Said.COSIGNED}
    assert {"witness.refused", "ledger.doubtful"}.isdisjoint(caplog.messages)
    assert serving.standing.doubt == ""
    assert set(said(await visit(north)).values()) == {Said.COSIGNED}
    await command.close()


async def test_a_restored_backup_discloses_nothing_until_a_new_epoch_names_what_was_lost(north: TestFederation) -> None:
    assert await ask(north) is TEAMS
    await visit(north)
    await north.stop(AGENCY)
    data, backup = north.folder / AGENCY / "data", north.folder / "backup"
    shutil.copytree(data, backup)
    await north.start(AGENCY)
    await north.refresh(AGENCY)
    await north.record(AGENCY, "p1", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
    assert await ask(north) is NOTHING
    lost = (await visit(north)).stored.checkpoint.head

    await north.stop(AGENCY)
    shutil.rmtree(data)
    shutil.copytree(backup, data)
    await restart(north)
    node = north.nodes[AGENCY]
    assert "fewer than what the hub holds" in node.parts.standing.doubt
    assert await ask(north) is UNREACHABLE
    with pytest.raises(LedgerDoubtful):
        await visit(north)

    await north.record(AGENCY, "p1", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
    opened = await node.checkpoints.open_epoch(lost)
    assert said(opened) == {"hub": Said.COSIGNED, OTHER: Said.COSIGNED}
    assert f"after 1 {lost.size} " in opened.stored.note
    await visit(north)
    assert await ask(north) is NOTHING
    await restart(north)
    assert await ask(north) is NOTHING
    assert said(await visit(north)) == {"hub": Said.COSIGNED, OTHER: Said.COSIGNED}


@pytest.mark.parametrize("witness", ["hub", OTHER])
async def test_one_witness_that_remembers_is_enough(north: TestFederation, witness: str) -> None:
    """The other one has lost all that it saw: the rewritten ledger is known all the same."""
    await ask(north)
    await visit(north)
    await north.stop(AGENCY)
    rewrite(north.folder / AGENCY / "data" / "ledger.db")
    forgetful = north.nodes[OTHER].ledger_database if witness == "hub" else north.hub.hub.database
    await forgetful.write(_forget())
    await restart(north)
    who = "the hub" if witness == "hub" else OTHER
    standing = north.nodes[AGENCY].parts.standing
    assert f"not those of what {who} holds" in standing.doubt
    assert await ask(north) is UNREACHABLE
    if witness == OTHER:  # who then falls silent: what it held against us is not undone
        await north.stop(OTHER)
        await north.nodes[AGENCY].checkpoints.compare()
        assert f"not yet been compared with what {OTHER} holds" in standing.doubt


async def test_a_rewritten_ledger_holds_together_by_itself(north: TestFederation) -> None:
    """What the test above changes is well done: who has no keys is told by witnesses alone."""
    await ask(north)
    await north.stop(AGENCY)
    rewrite(north.folder / AGENCY / "data" / "ledger.db")
    await restart(north)
    await north.nodes[AGENCY].parts.ledger.verify(keys=False)
    assert await ask(north) is TEAMS


async def test_a_witness_that_refuses_is_an_alarm_and_stops_nobody(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    """A single member that lies about us must not be able to silence us."""
    await ask(north)
    await visit(north)
    await north.nodes[OTHER].ledger_database.write(_invent())
    await ask(north)
    with caplog.at_level(logging.WARNING, "patchwork"):
        words = said(await visit(north))
    assert words == {"hub": Said.COSIGNED, OTHER: Said.REFUSED}
    assert "witness.refused" in caplog.messages
    assert await ask(north) is TEAMS


@pytest.mark.parametrize("off", [2**62, checkpoints.MAX_TIME_OFF_S + 60, -checkpoints.MAX_TIME_OFF_S - 60])
async def test_a_cosignature_of_another_time_than_now_is_not_kept(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch, off: float
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(witness, "cosign", lambda text, key, signer, now: cosign(text, key, signer, now + off))
        assert await ask(north) is TEAMS
        assert set(said(await visit(north)).values()) == {Said.REFUSED}
    newest = (await north.nodes[AGENCY].ledger_database.read(heads.page((0, 0), 10)))[-1]
    assert newest.cosignatures == ()
    assert await ask(north) is TEAMS
    assert said(await visit(north)) == {"hub": Said.COSIGNED, OTHER: Said.COSIGNED}


async def test_only_the_hub_can_hold_up_a_start_and_no_witness_a_node_that_runs(north: TestFederation) -> None:
    await ask(north)
    await north.stop(OTHER)
    await restart(north)
    assert north.nodes[AGENCY].parts.standing.doubt == ""
    assert said(await visit(north)) == {"hub": Said.COSIGNED, OTHER: Said.NO_WORD}
    await north.hub.close()
    assert said(await visit(north)) == {"hub": Said.NO_WORD, OTHER: Said.NO_WORD}
    assert north.nodes[AGENCY].parts.standing.doubt == ""
    # A start without the hub: nothing can be asked of us yet, and nothing would be answered.
    await north.stop(AGENCY)
    await north.start(AGENCY)
    await north.nodes[AGENCY].checkpoints.begin()
    assert "has not yet been compared" in north.nodes[AGENCY].parts.standing.doubt
    await north.restart_hub()
    await north.refresh()
    await visit(north)
    assert await ask(north) is TEAMS


async def test_a_witness_that_cosigned_is_not_asked_again_each_minute_because_another_is_silent(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member takes 60 submissions an hour of another: one witness that is down must not use them up at the rest."""
    await north.stop(OTHER)
    witnesses = north.nodes[AGENCY].checkpoints.witnesses
    ask_all, submit, enough = witnesses.ask, witnesses.submit, asyncio.Event()
    rounds, submitted = 0, []

    async def ask_counted() -> list[Answer]:
        nonlocal rounds
        rounds += 1
        if rounds == 5:
            enough.set()
        return await ask_all()

    async def submit_counted(witness: str, note: str, proof: Sequence[bytes]) -> Verdict:
        submitted.append(witness)
        return await submit(witness, note, proof)

    monkeypatch.setattr(checkpoints, "RETRY_S", 0.01)
    monkeypatch.setattr(witnesses, "ask", ask_counted)
    monkeypatch.setattr(witnesses, "submit", submit_counted)
    keeping = asyncio.create_task(north.nodes[AGENCY].checkpoints.keep())
    await asyncio.wait_for(enough.wait(), 10)
    keeping.cancel()
    assert submitted == ["hub"]
    assert said(await visit(north)) == {"hub": Said.COSIGNED, OTHER: Said.NO_WORD}
    assert submitted == ["hub", "hub"]


async def test_a_node_that_stops_leaves_a_signed_head_even_without_its_witnesses(north: TestFederation) -> None:
    node = north.nodes[AGENCY]
    await visit(north)
    assert await ask(north) is TEAMS
    await north.hub.close()
    await node.checkpoints.end()
    kept = await node.ledger_database.read(heads.newest())
    assert kept is not None
    assert kept.checkpoint.head.size == (await node.parts.ledger.head()).size
    await north.restart_hub()


def rewrite(file: Path) -> None:
    """Forge the first entry and all that depends on it, as whoever can write the file is able to."""
    with closing(sqlite3.connect(file)) as database, database:
        for trigger in ("entry_is_never_changed", "entry_is_never_removed"):
            database.execute(f"DROP TRIGGER {trigger}")
        leaf = database.execute("SELECT leaf FROM entry WHERE seq = 0").fetchone()[0]
        forged = leaf[:-1] + bytes([leaf[-1] ^ 1])
        database.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE seq = 0", (forged, leaf_hash(forged)))
        for table in ("tree_node", "cosignature", "checkpoint"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this list
        tree = TreeHasher()
        for (hashed,) in database.execute("SELECT leaf_hash FROM entry ORDER BY seq").fetchall():
            database.executemany("INSERT INTO tree_node VALUES (?, ?, ?)", tree.append(hashed))
        database.execute("UPDATE ledger_head SET peaks = ?", (b"".join(tree.peaks),))


def _forget() -> Work[None]:
    yield "DELETE FROM witnessed", ()


def _invent() -> Work[None]:
    """A member that shows as seen what nobody has signed."""
    yield "UPDATE witnessed SET note = replace(note, 'epoch 1', 'epoch 7')", ()
