"""Looking through the record backwards: what is found, where a step ends, and what a wrong clock does to it."""

from collections.abc import Mapping
from typing import Any

import pytest

from consent_ledger import search
from consent_ledger.governance import ErasureEntry
from consent_ledger.ledger import Ledger
from consent_ledger.search import Step, end_of, search_back
from gateway.database.contract import Work
from gateway.database.sqlite import SqliteDatabase
from tests.unit.ledger.conftest import START, Files

FIRST = int(START) // 3600


def anything(_: Mapping[str, Any]) -> bool:
    return True


async def written(files: Files, *hours: int) -> tuple[Ledger, SqliteDatabase]:
    """A ledger with an entry in each of these hours after the first."""
    ledger, storage = await files.ledger()
    for hour in hours:
        files.clock.time = START + 3600 * hour
        await ledger.note(ErasureEntry(by="olive", reason=f"hour {hour}", keys=()))
    return ledger, storage


async def looked(storage: SqliteDatabase, first: int, last: int, *, before: int | None = None, limit: int = 50) -> Step:
    """One step through these hours, from where they end or from entry `before`."""

    def work() -> Work[Step]:
        start = before if before is not None else (yield from end_of(FIRST + last))
        return (yield from search_back(start, hours=(FIRST + first, FIRST + last), wanted=anything, limit=limit))

    return await storage.read(work())


def seqs(step: Step) -> list[int]:
    return [entry.seq for entry in step.found]


async def test_the_hours_wanted_are_found_newest_first_and_what_is_older_ends_the_step(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_PIECE", 2)
    _, storage = await written(files, 0, 1, 2, 2, 3, 4, 4)
    step = await looked(storage, 2, 3)
    assert (seqs(step), step.last) == ([4, 3, 2], 5)
    assert step.first == 0
    assert seqs(await looked(storage, 9, 9)) == []
    assert seqs(await looked(storage, 0, 9)) == [6, 5, 4, 3, 2, 1, 0]
    assert seqs(await looked(storage, -9, -1)) == []


async def test_a_step_that_found_enough_goes_on_behind_its_last_entry(files: Files) -> None:
    _, storage = await written(files, *range(7))
    found, step = [], await looked(storage, 0, 6, limit=3)
    found += seqs(step)
    while step.first:
        step = await looked(storage, 0, 6, before=step.first, limit=3)
        found += seqs(step)
    assert found == [6, 5, 4, 3, 2, 1, 0]


async def test_an_entry_that_a_wrong_clock_dated_is_found_by_going_on(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_PIECE", 2)
    _, storage = await written(files, 5, 0, 0, 0, 5, 5)  # the first entries of an hour, then a clock five hours behind
    step = await looked(storage, 5, 5)
    assert (seqs(step), step.passed) == ([5, 4], True)
    on = await looked(storage, 5, 5, before=step.first)
    assert (seqs(on), on.first) == ([0], 0)


async def test_what_cannot_be_read_any_more_is_counted(files: Files) -> None:
    ledger, storage = await written(files, 0, 1)
    await ledger.destroy_period("2026")
    step = await looked(storage, 0, 1)
    assert (seqs(step), step.unreadable) == ([], 2)


async def test_an_empty_record_is_at_its_end_at_once(files: Files) -> None:
    _, storage = await written(files)
    step = await looked(storage, 0, 9)
    assert (seqs(step), step.first, step.last) == ([], 0, 0)
