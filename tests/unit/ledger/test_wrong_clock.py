"""What is recorded by a clock that runs ahead spoils nothing once the clock is right."""

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.errors import ClockBehind
from consent_ledger.exchange import CHUNK_ROWS, SECONDS_PER_HOUR, SETTLED_S, HourCount
from consent_ledger.ledger import Ledger
from tests.unit.ledger.conftest import START, Files, answered, unmatched

COUNCIL = "childrens-services"
HOUR = (int(START) + 60) // SECONDS_PER_HOUR
DAY_S = 86_400
OBJECTION = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception")


async def recorded_ahead(files: Files, ledger: Ledger, entries: int = 1) -> None:
    """Objections of other people, by a clock that was 20 days ahead and has been set right."""
    files.clock.time = START + 20 * DAY_S
    await ledger.record_all([(99, OBJECTION)] * entries)
    files.clock.time = START


async def test_an_objection_or_a_filler_dated_ahead_lets_the_node_answer_once_the_clock_is_right(files: Files) -> None:
    ledger, _ = await files.ledger()
    await recorded_ahead(files, ledger)
    files.clock.time = START + 20 * DAY_S
    await ledger.filled()
    files.clock.time = START
    await ledger.log_answer(unmatched("j"))
    files.clock.time = START - 31
    with pytest.raises(ClockBehind):
        await ledger.log_answer(unmatched("k"))


@pytest.mark.parametrize("ahead", [1, CHUNK_ROWS + 1])
async def test_entries_dated_ahead_hold_up_the_counts_of_none_behind_them(files: Files, ahead: int) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(unmatched("j"))
    await recorded_ahead(files, ledger, ahead)
    await ledger.log_answer(unmatched("k"))
    files.clock.time = START + SETTLED_S - 1
    await ledger.settle()
    assert await ledger.exchanged(COUNCIL, 0, HOUR + 1) == {}
    files.clock.time = START + SETTLED_S + 1
    await ledger.settle()
    assert await ledger.exchanged(COUNCIL, 0, HOUR + 1) == {HOUR: HourCount(answered=2)}


async def test_a_question_is_found_behind_an_entry_of_a_clock_that_was_behind(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    files.clock.time = START - 20 * DAY_S
    await ledger.record(99, OBJECTION)
    files.clock.time = START
    assert await ledger.question("j", asked_by=COUNCIL, since_hour=HOUR - 24)
    assert not await ledger.question("j", asked_by=COUNCIL, since_hour=HOUR + 1)
