"""The ledger on real files: what is durable, what is refused, what several processes may do at once."""

import asyncio
import sqlite3

import pytest

from consent_ledger.append import NO_CONSENTS, AcceptedAgreement
from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Provision, Relation
from consent_ledger.entries import AskedEntry, ReceivedEntry
from consent_ledger.errors import ClockBehind, HeadMoved, LedgerCorrupt, LedgerUnavailable, ReplayedError
from consent_ledger.kinds import KindClass
from consent_ledger.merkle import inclusion_proof, root_of, verify_inclusion
from consent_ledger.read import accepted_agreements, clock_high, consents_of, was_answered
from consent_ledger.storage import Work
from mappings.vocabulary import Mode, Purpose

from .conftest import AGREEMENT, START, Files, answered, unmatched

CONSENT = ConsentEntry(
    kind=ConsentKind.CONSENT,
    provisions=(Provision(permit=True, mode=Mode.PRACTITIONER, purposes=(Purpose.COORDINATION,)),),
    method="in person",
    recorded_by="practitioner-9",
    given_on="2026-11",
)
WITHDRAWAL = ConsentEntry(kind=ConsentKind.WITHDRAWAL, recorded_by="practitioner-9")
ACCEPTED = AcceptedAgreement(uri="https://agreements.example.org/a", version="1", sha256=AGREEMENT)


async def test_answers_share_a_tree_and_read_back(files: Files) -> None:
    ledger, storage = await files.ledger()
    places = await asyncio.gather(*(ledger.log_answer(answered(f"j{number}")) for number in range(300)))
    assert sorted(place.seq for place in places) == list(range(300))
    entries = [entry async for entry in ledger.entries()]
    assert [entry.leaf_hash for entry in entries] == [
        place.leaf_hash for place in sorted(places, key=lambda place: place.seq)
    ]
    assert entries[5].body is not None
    assert entries[5].body["decisions"] == [{"effect": "permit", "rule": "coordination"}]
    head = await ledger.verify()
    assert head == await ledger.head()
    leaves = [bytes.fromhex(entry.leaf_hash) for entry in entries]
    assert head.root == root_of(leaves).hex()

    def nodes() -> Work[dict[tuple[int, int], bytes]]:
        rows = yield "SELECT level, position, hash FROM tree_node", ()
        return {(level, position): hashed for level, position, hashed in rows}

    stored = await storage.read(nodes()) | {(0, at): leaf for at, leaf in enumerate(leaves)}
    proof = inclusion_proof(123, 300, lambda level, position: stored[level, position])
    verify_inclusion(leaves[123], 123, 300, proof, bytes.fromhex(head.root))


async def test_question_is_answered_once_even_after_restart(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("same"))
    with pytest.raises(ReplayedError):
        await ledger.log_answer(answered("same"))
    await files.close()
    ledger, storage = await files.ledger()
    with pytest.raises(ReplayedError):
        await ledger.log_answer(answered("same"))
    assert (await ledger.head()).size == 1
    assert await storage.read(was_answered("northshire", "childrens-services", "same"))
    assert not await storage.read(was_answered("northshire", "childrens-services", "other"))


async def test_of_one_question_twice_in_a_batch_one_is_answered(files: Files) -> None:
    ledger, _ = await files.ledger()
    results = await asyncio.gather(*(ledger.log_answer(answered("same")) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, ReplayedError) for result in results) == 4
    assert (await ledger.verify()).size == 1


async def test_same_jti_of_another_member_is_another_question(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("same"))
    await ledger.log_answer(answered("same", issuer="police"))


async def test_replay_rows_go_once_expired_for_good(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("old"))

    def rows() -> Work[list[str]]:
        return [row[0] for row in (yield "SELECT jti FROM replay ORDER BY jti", ())]

    files.clock.time = START + 60 + 599
    await ledger.log_answer(answered("between", expires_at=int(files.clock.time) + 60))
    assert await storage.read(rows()) == ["between", "old"]
    files.clock.time = START + 60 + 602
    await ledger.log_answer(answered("new", expires_at=int(files.clock.time) + 60))
    assert await storage.read(rows()) == ["between", "new"]


async def test_consent_recorded_after_the_decision_makes_it_decide_again(files: Files) -> None:
    ledger, storage = await files.ledger()
    entries, head = await storage.read(consents_of([7]))
    assert (entries, head) == ((), NO_CONSENTS)
    await ledger.record(7, CONSENT)
    with pytest.raises(HeadMoved):
        await ledger.log_answer(answered("j", consent_head=head))
    entries, head = await storage.read(consents_of([7]))
    await ledger.log_answer(answered("j", consent_head=head))  # the question was still open
    await ledger.log_answer(answered("k", person_id=8))  # another person's head did not move


async def test_withdrawal_in_the_same_batch_stops_the_answer_behind_it(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.record(7, CONSENT)
    _, head = await storage.read(consents_of([7]))
    outcome = await asyncio.gather(
        ledger.record(7, WITHDRAWAL), ledger.log_answer(answered("j", consent_head=head)), return_exceptions=True
    )
    assert isinstance(outcome[1], HeadMoved)


async def test_consents_under_any_id_of_a_person_count(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.record(8, WITHDRAWAL)
    await ledger.record(7, CONSENT)
    entries, head = await storage.read(consents_of([7, 8, 9]))
    assert ([entry.seq for entry in entries], head) == ([0, 1], 1)
    await ledger.record(8, WITHDRAWAL)
    with pytest.raises(HeadMoved):
        await ledger.log_answer(answered("j", person_ids=(8, 9), consent_head=head))
    await ledger.log_answer(answered("j", consent_head=head))


async def test_consents_read_back_as_recorded(files: Files) -> None:
    ledger, storage = await files.ledger()
    objection = ConsentEntry(
        kind=ConsentKind.OBJECTION, giver=Giver(relation=Relation.PARENT, reference="r1"), recorded_by="practitioner-9"
    )
    await ledger.record(8, CONSENT)
    for entry in (CONSENT, WITHDRAWAL, objection):
        await ledger.record(7, entry)
    entries, head = await storage.read(consents_of([7]))
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert head == 3
    assert [entry.kind for entry in entries] == ["consent", "withdrawal", "objection"]
    assert entries[0].provisions == CONSENT.provisions
    assert entries[2].giver == objection.giver


async def test_agreement_no_longer_accepted_stops_answers_under_it(files: Files) -> None:
    ledger, storage = await files.ledger()
    with pytest.raises(HeadMoved):
        await ledger.log_answer(answered("j", agreement_sha256=AGREEMENT))
    await ledger.accept_agreement(ACCEPTED, by="officer")
    assert await storage.read(accepted_agreements("northshire")) == {AGREEMENT}
    assert await storage.read(accepted_agreements("elsewhere")) == frozenset()
    await ledger.log_answer(answered("j", agreement_sha256=AGREEMENT))
    withdrawn = AcceptedAgreement(uri=ACCEPTED.uri, version="1", sha256=AGREEMENT, accepted=False)
    await ledger.accept_agreement(withdrawn, by="officer")
    with pytest.raises(HeadMoved):
        await ledger.log_answer(answered("k", agreement_sha256=AGREEMENT))


async def test_clock_behind_the_ledger_answers_nothing_but_records_withdrawals(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("j"))
    files.clock.time = START - 29
    await ledger.log_answer(answered("k"))
    assert await storage.read(clock_high()) == START
    files.clock.time = START - 31
    with pytest.raises(ClockBehind):
        await ledger.log_answer(answered("l"))
    await ledger.record(7, WITHDRAWAL)
    assert await storage.read(clock_high()) == START


async def test_unmatched_question_carries_no_subject(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(unmatched("j"))
    (entry,) = [entry async for entry in ledger.entries()]
    assert entry.body is not None
    assert set(entry.body) == {"at", "kind", "jti", "query_sha256", "asker", "purpose", "outcome", "expires_at"}
    with pytest.raises(ValueError, match="without decisions"):
        answered("j", person_id=None, consent_head=None)


async def test_asking_node_keeps_question_and_outcomes(files: Files) -> None:
    ledger, _ = await files.ledger()
    asked = AskedEntry(
        jti="j",
        query="a.b.c",
        query_sha256="c" * 64,
        asker=answered("j").asker,
        purpose="COC",
        recipients=("police",),
    )
    await ledger.log_question(asked)
    await ledger.log_received(ReceivedEntry(jti="j", outcomes={"police": "timeout"}, answers={}))
    bodies = [entry.body async for entry in ledger.entries()]
    assert bodies[0] is not None
    assert bodies[0]["query"] == "a.b.c"
    assert bodies[1] is not None
    assert bodies[1]["outcomes"] == {"police": "timeout"}


async def test_erasure_leaves_the_tree_and_nothing_to_read(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.record(7, CONSENT)
    await ledger.log_answer(answered("j", consent_head=0))
    await ledger.log_answer(answered("k", person_id=8))
    before = await ledger.verify()
    assert await ledger.erase(7)
    assert not await ledger.erase(7)
    assert await ledger.verify() == before
    assert [entry.body is None async for entry in ledger.entries()] == [True, True, False]
    assert await storage.read(consents_of([7])) == ((), NO_CONSENTS)
    with pytest.raises(HeadMoved):
        await ledger.log_answer(answered("l", consent_head=0))


async def test_erased_secret_is_in_no_file(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.record(7, CONSENT)
    connection = sqlite3.connect(files.folder / "keys.db")
    ((secret,),) = connection.execute("SELECT secret FROM person_key").fetchall()
    connection.close()
    assert any(secret in path.read_bytes() for path in files.folder.iterdir())
    await ledger.erase(7)
    await files.close()
    assert not any(secret in path.read_bytes() for path in files.folder.iterdir())


async def test_files_of_the_ledger_name_nobody(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    await ledger.record(7, CONSENT)
    await files.close()
    stored = (files.folder / "ledger.db").read_bytes()
    assert b"northshire" in stored  # the search works
    for word in (b"Asker One", b"coordination", b"in person", b"practitioner-9"):
        assert word not in stored


async def test_two_ledgers_on_one_file_write_one_tree(files: Files) -> None:
    first, _ = await files.ledger()
    second, _ = await files.ledger()
    results = await asyncio.gather(
        *(ledger.log_answer(answered(f"j{number}")) for number in range(150) for ledger in (first, second)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, ReplayedError) for result in results) == 150
    assert (await first.verify()).size == 150
    await second.record(7, CONSENT)
    with pytest.raises(HeadMoved):
        await first.log_answer(answered("late"))


async def test_closed_ledger_refuses(files: Files) -> None:
    ledger, _ = await files.ledger()
    waiting = asyncio.create_task(ledger.log_answer(answered("j")))
    await asyncio.sleep(0)
    await ledger.close()
    assert (await waiting).seq == 0
    with pytest.raises(LedgerUnavailable):
        await ledger.log_answer(answered("k"))


async def test_cancelled_caller_leaves_the_others_alone(files: Files) -> None:
    ledger, _ = await files.ledger()
    tasks = [asyncio.create_task(ledger.log_answer(answered(f"j{number}"))) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert not isinstance(results[0], BaseException)
    await ledger.log_answer(answered("next"))
    await ledger.verify()


@pytest.mark.parametrize(
    ("tampering", "message"),
    [
        (
            "UPDATE entry SET leaf = CAST(substr(leaf, 1, length(leaf) - 1) || 'x' AS BLOB) WHERE seq = 2",
            "entry 2 does not have",
        ),
        ("DELETE FROM entry WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM entry WHERE seq = 4", "head does not fit"),
        ("UPDATE entry SET federation = 'other' WHERE seq = 2", "entry 2 is filed"),
        ("UPDATE tree_node SET hash = zeroblob(32) WHERE level = 1 AND position = 0", "subtree 0 of level 1"),
        ("UPDATE ledger_head SET peaks = zeroblob(64)", "head does not fit"),
        ("UPDATE ledger_head SET peaks = zeroblob(32)", "head of the ledger"),
        ("UPDATE ledger_head SET projected_size = 1", "projection"),
        ("INSERT INTO consent_entry VALUES (x'00', 0, 'northshire')", "projection"),
        ("DELETE FROM consent_entry WHERE applied_seq = 3", "entry 3 is not among"),
        ("UPDATE entry SET key_id = zeroblob(16) WHERE seq = 3", "entry 3 is not among"),
    ],
)
async def test_verify_names_what_was_tampered_with(files: Files, tampering: str, message: str) -> None:
    ledger, _ = await files.ledger()
    for number in range(3):
        await ledger.log_answer(answered(f"j{number}"))
    await ledger.record(7, CONSENT)
    await ledger.log_answer(answered("last", person_id=8))
    await files.close()
    with sqlite3.connect(files.folder / "ledger.db") as forger:
        forger.execute("DROP TRIGGER entry_is_never_changed")
        forger.execute("DROP TRIGGER entry_is_never_removed")
        forger.execute(tampering)
    forger.close()
    ledger, _ = await files.ledger()
    with pytest.raises(LedgerCorrupt, match=message):
        await ledger.verify()


async def test_entries_cannot_be_changed_by_a_statement(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    connection = sqlite3.connect(files.folder / "ledger.db")
    for statement in ("UPDATE entry SET federation = 'x'", "DELETE FROM entry"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(statement)
    connection.close()


async def test_leaf_shows_class_hour_and_federation_only(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.record(7, WITHDRAWAL)
    (entry,) = [entry async for entry in ledger.entries()]
    assert entry.header == (KindClass.CONSENT, int(START) // 3600, "northshire")


@pytest.mark.parametrize("person_id", [-1, 2**63])
async def test_impossible_person_id_harms_nobody_else(files: Files, person_id: int) -> None:
    ledger, _ = await files.ledger()
    with pytest.raises(ValueError, match="id"):
        await ledger.record(person_id, WITHDRAWAL)
    await ledger.log_answer(answered("j"))
