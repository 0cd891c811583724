"""What is written beside the tree, and what is counted of it."""

import asyncio
import base64
from collections.abc import Sequence

import orjson
import pytest

from consent_ledger import sequencer
from consent_ledger.entries import AskedEntry, Asker, ReceivedEntry
from consent_ledger.errors import LedgerUnavailable
from consent_ledger.exchange import SECONDS_PER_HOUR, SETTLED_S, HourCount, settled_until
from consent_ledger.kept import SentAnswer
from consent_ledger.ledger import Ledger
from gateway.wire.limits import ANSWER_TOKEN_BYTES, MAX_RECIPIENTS
from tests.unit.ledger.conftest import START, Files, answered, unmatched

ME, COUNCIL, TRUST = "housing", "childrens-services", "trust"
END = int(START) + 60
HOUR = END // SECONDS_PER_HOUR


def asked(jti: str, *members: str, end: int = END) -> AskedEntry:
    """A question whose token says when it ends."""
    claims = base64.urlsafe_b64encode(orjson.dumps({"exp": end})).decode().rstrip("=")
    asker = Asker(member=ME, practitioner="p", name="Asker Two", role="r", organisation="o")
    return AskedEntry(
        jti=jti, query=f"e30.{claims}.AA", query_sha256="c" * 64, asker=asker, purpose="COC", recipients=members
    )


def received(jti: str, *members: str) -> ReceivedEntry:
    return ReceivedEntry(jti=jti, outcomes=dict.fromkeys(members, "teams"), answers=dict.fromkeys(members, "a.b.c"))


async def sent(ledger: Ledger, jti: str, *, person: int = 7) -> int:
    """An answer that was logged, and kept as it left."""
    appended = await ledger.log_answer(answered(jti, person_id=person))
    ledger.keep_answer(SentAnswer(seq=appended.seq, person_id=person, at=START, answer=jti, bundle=b"bundle"))
    return appended.seq


async def kept(files: Files, jti: str) -> tuple[str, bytes] | None:
    """What another process finds of an answer."""
    ledger, _ = await files.ledger()
    (entry,) = await ledger.question(jti, asked_by=COUNCIL)
    return await ledger.sent(entry)


async def counted(ledger: Ledger, member: str) -> dict[int, HourCount]:
    await ledger.settle()
    return await ledger.exchanged(member, 0, HOUR + 100)


async def test_a_kept_answer_is_written_with_the_next_entry(files: Files) -> None:
    ledger, _ = await files.ledger()
    await sent(ledger, "j")
    assert await kept(files, "j") is None
    await ledger.log_answer(unmatched("k"))
    assert await kept(files, "j") == ("j", b"bundle")


async def test_a_kept_answer_is_written_by_itself_where_nothing_follows(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "RIDERS_WAIT_S", 0.05)
    ledger, _ = await files.ledger()
    await sent(ledger, "j")
    for _ in range(100):
        await asyncio.sleep(0.02)
        if await kept(files, "j") is not None:
            return
    pytest.fail("never written")


async def test_a_kept_answer_is_written_when_the_node_stops(files: Files) -> None:
    ledger, _ = await files.ledger()
    await sent(ledger, "j")
    await ledger.close()
    assert await kept(files, "j") == ("j", b"bundle")


async def test_a_kept_answer_outlives_a_disk_that_was_full(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, storage = await files.ledger()
    await sent(ledger, "j")
    with monkeypatch.context() as full:
        full.setattr(storage, "write", _refuse)
        with pytest.raises(LedgerUnavailable):
            await ledger.log_answer(unmatched("k"))
    await ledger.log_answer(unmatched("l"))
    assert await kept(files, "j") == ("j", b"bundle")


async def test_nothing_is_kept_of_who_was_erased_meanwhile(files: Files) -> None:
    ledger, storage = await files.ledger()
    await sent(ledger, "j")
    await ledger.erase(7)
    await ledger.log_answer(unmatched("k"))
    assert await storage.read(_rows("SELECT count(*) FROM kept_answer")) == [(0,)]


async def test_what_is_kept_shows_nothing_without_the_key(files: Files) -> None:
    ledger, storage = await files.ledger()
    await sent(ledger, "the-exact-answer")
    await ledger.close()
    ((sealed,),) = await storage.read(_rows("SELECT sealed FROM kept_answer"))
    assert b"the-exact-answer" not in sealed
    assert b"bundle" not in sealed


async def test_questions_and_answers_are_counted_by_the_hour_in_which_they_end(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_question(asked("q1", COUNCIL, TRUST))
    await ledger.log_question(asked("q2", COUNCIL, end=END + SECONDS_PER_HOUR))
    await ledger.log_question(asked("q3", COUNCIL))
    await ledger.log_received(received("q1", COUNCIL))
    await ledger.log_received(received("q2", COUNCIL))
    await ledger.log_answer(unmatched("j"))
    assert await counted(ledger, COUNCIL) == {}
    files.clock.time += SETTLED_S + 1
    for _ in range(2):
        assert await counted(ledger, COUNCIL) == {
            HOUR: HourCount(asked=2, received=1, unfinished=1, answered=1),
            HOUR + 1: HourCount(asked=1, received=1),
        }
    assert await counted(ledger, TRUST) == {HOUR: HourCount(asked=1)}


async def test_an_answer_that_was_late_is_not_claimed(files: Files) -> None:
    ledger, _ = await files.ledger()
    for jti in ("j", "k"):
        await ledger.log_answer(unmatched(jti))
    ledger.note_late(COUNCIL, "j")
    await ledger.close()
    files.clock.time += SETTLED_S + 1
    assert await counted(ledger, COUNCIL) == {HOUR: HourCount(answered=1)}


async def test_anothers_late_answer_under_the_same_id_excuses_nobody(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(unmatched("j"))
    ledger.note_late(TRUST, "j")
    await ledger.close()
    files.clock.time += SETTLED_S + 1
    assert await counted(ledger, COUNCIL) == {HOUR: HourCount(answered=1)}


async def test_many_entries_are_counted_once_by_processes_that_count_at_one_time(files: Files) -> None:
    ledgers = [(await files.ledger())[0] for _ in range(2)]
    await asyncio.gather(*(ledgers[0].log_answer(unmatched(f"j{number}")) for number in range(600)))
    files.clock.time += SETTLED_S + 1
    await asyncio.gather(*(ledger.settle() for ledger in ledgers))
    assert await counted(ledgers[0], COUNCIL) == {HOUR: HourCount(answered=600)}


def test_an_hour_is_settled_once_its_last_answers_must_have_come() -> None:
    end = (HOUR + 1) * SECONDS_PER_HOUR
    assert settled_until(end + 2 * SETTLED_S - 1) == HOUR
    assert settled_until(end + 2 * SETTLED_S) == HOUR + 1


async def test_the_longest_answers_of_as_many_members_as_may_be_asked_can_be_put_on_record(files: Files) -> None:
    ledger, _ = await files.ledger()
    answers = {f"{number:048d}": "a" * ANSWER_TOKEN_BYTES for number in range(MAX_RECIPIENTS)}
    await ledger.log_received(ReceivedEntry(jti="q", outcomes=dict.fromkeys(answers, "teams"), answers=answers))


async def _refuse(_: object) -> Sequence[object]:
    raise OSError("full")


def _rows(sql: str):  # type: ignore[no-untyped-def]  # a generator of statements
    return (yield sql, ())
