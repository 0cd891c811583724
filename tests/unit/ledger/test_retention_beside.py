"""What stands beside the tree goes when its time is over, a piece at a time, and the tree stays as it was."""

from datetime import UTC, datetime

import pytest

from consent_ledger.exchange import SECONDS_PER_HOUR, SETTLED_S
from consent_ledger.kept import SentAnswer
from consent_ledger.retention_beside import PIECE_ROWS, drop_answers, drop_counts, drop_late
from consent_ledger.retention_beside import hour_of_day as day
from consent_ledger.retention_beside import hour_of_month as month
from consent_ledger.storage import Value, Work
from tests.unit.ledger.conftest import START, Files, answered, unmatched

COUNCIL = "childrens-services"
HOUR = int(START) // SECONDS_PER_HOUR


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("months", "begins"), [(1, "2026-10-01"), (10, "2026-01-01"), (11, "2025-12-01"), (72, "2020-11-01")]
)
def test_a_month_is_kept_whole(months: int, begins: str) -> None:
    assert month(at("2026-11-18T11:06:40"), months) * SECONDS_PER_HOUR == at(begins)


def test_no_limit_and_one_from_before_there_was_anything_drop_nothing() -> None:
    assert (month(START, 0), month(START, 1200), day(START, 0)) == (0, 0, 0)
    assert day(START, 36_500) == 0


async def test_only_answers_whose_time_is_over_go_and_the_tree_stays(files: Files) -> None:
    ledger, storage = await files.ledger()
    for jti in ("old", "new"):
        entry = await ledger.log_answer(answered(jti, expires_at=int(files.clock.time) + 60))
        ledger.keep_answer(SentAnswer(seq=entry.seq, person_id=7, at=files.clock.time, answer=jti, bundle=b""))
        files.clock.time += SECONDS_PER_HOUR
    await ledger.close()
    before = await ledger.verify()
    assert await storage.write(drop_answers(HOUR)) == 0
    assert await storage.write(drop_answers(HOUR + 1)) == 1
    assert await storage.read(_all("SELECT seq FROM kept_answer")) == [(1,)]
    assert await ledger.verify() == before


async def test_counts_go_in_pieces_and_the_node_knows_from_when_on_it_has_them(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(unmatched("j"))
    files.clock.time += SETTLED_S + 1
    await ledger.settle()
    await storage.write(_fill())
    assert await ledger.exchanged_from() == 0
    assert await storage.write(drop_counts(HOUR)) == PIECE_ROWS
    assert await storage.write(drop_counts(HOUR)) == 150
    assert await storage.write(drop_counts(HOUR)) == 0
    assert await ledger.exchanged_from() == HOUR
    assert list(await ledger.exchanged(COUNCIL, 0, HOUR + 2)) == [HOUR]
    await storage.write(
        drop_counts(HOUR - 50)
    )  # the limit was made longer: what is gone stays gone, and is known to be
    assert await ledger.exchanged_from() == HOUR


async def test_a_note_of_a_late_answer_goes_when_it_can_excuse_nothing_any_more(files: Files) -> None:
    ledger, storage = await files.ledger()
    ledger.note_late(COUNCIL, "j")
    await ledger.close()
    assert await storage.write(drop_late(HOUR)) == 0
    assert await storage.write(drop_late(HOUR + 1)) == 1


def _fill() -> Work[None]:
    hours: list[tuple[Value, ...]] = [(HOUR - each,) for each in range(1, 201)]
    opened: list[tuple[Value, ...]] = [(str(each), HOUR - each) for each in range(1, 201)]
    yield "INSERT INTO exchange_hour (hour, member, asked) VALUES (?, 'police', 1)", hours
    yield "INSERT INTO exchange_open (jti, member, hour) VALUES (?, 'police', ?)", opened


def _all(sql: str) -> Work[list[tuple[object, ...]]]:
    return (yield sql, ())
