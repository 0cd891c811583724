"""Counts that another member may ask for tell nothing of who has been erased."""

from typing import Any

import pytest

from consent_ledger import exchange_erased
from consent_ledger.exchange import SECONDS_PER_HOUR, SETTLED_S, HourCount
from consent_ledger.ledger import Ledger
from consent_ledger.storage import Work
from tests.unit.ledger.conftest import START, Files, answered, unmatched

COUNCIL = "childrens-services"
HOUR = (int(START) + 60) // SECONDS_PER_HOUR


async def counted(ledger: Ledger) -> dict[int, HourCount]:
    await ledger.settle()
    return await ledger.exchanged(COUNCIL, 0, HOUR + 100)


@pytest.mark.parametrize("seconds", [0, SETTLED_S // 2, SETTLED_S - 1])
async def test_an_answer_of_the_last_minutes_is_counted_when_it_would_have_been_without_the_erasure(
    files: Files, seconds: int
) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    await ledger.log_answer(answered("k", purpose="BTG"))
    await ledger.log_answer(unmatched("l"))
    files.clock.time += seconds
    await ledger.settle()
    await ledger.erase(7)
    assert await counted(ledger) == {}
    files.clock.time = START + SETTLED_S + 1
    for _ in range(2):
        assert await counted(ledger) == {HOUR: HourCount(answered=3)}


async def test_an_answer_written_while_the_secret_is_being_destroyed_is_counted(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, _ = await files.ledger()
    other, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    set_aside = exchange_erased.set_aside

    async def then_answered(*what: Any) -> None:
        await set_aside(*what)
        monkeypatch.setattr(exchange_erased, "set_aside", set_aside)
        await other.log_answer(answered("k"))

    monkeypatch.setattr(exchange_erased, "set_aside", then_answered)
    await ledger.erase(7)
    files.clock.time += SETTLED_S + 1
    assert await counted(ledger) == {HOUR: HourCount(answered=2)}


async def test_what_was_counted_before_is_not_counted_again(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    files.clock.time += SETTLED_S + 1
    assert await counted(ledger) == {HOUR: HourCount(answered=1)}
    await ledger.log_answer(answered("k", expires_at=int(START) + SETTLED_S + 61))
    await ledger.erase(7)
    files.clock.time += SETTLED_S + 1
    assert sum(each.answered for each in (await counted(ledger)).values()) == 2


async def test_a_late_answer_is_excused_though_its_person_was_erased(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("j"))
    await ledger.log_answer(unmatched("k"))
    await ledger.erase(7)
    ledger.note_late(COUNCIL, "j")
    files.clock.time += SETTLED_S + 1
    assert await counted(ledger) == {HOUR: HourCount(answered=1)}


async def test_what_is_set_aside_goes_once_it_is_counted_and_what_is_no_answer_never_is(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("j"))
    await ledger.erase(7)
    assert await storage.read(_rows()) == [(0, "j", COUNCIL, HOUR)]
    files.clock.time += SETTLED_S + 1
    await ledger.settle()
    assert await storage.read(_rows()) == []


def _rows() -> Work[list[tuple[object, ...]]]:
    return (yield "SELECT seq, jti, member, hour FROM exchange_erased", ())
