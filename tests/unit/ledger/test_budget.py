"""Budgets are kept in the transaction that appends: exactly, over processes, and in few rows."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from consent_ledger.append import Appended
from consent_ledger.budget import BudgetSpent, Count, Spend, day_secret
from consent_ledger.errors import ReplayedError
from consent_ledger.ledger import Ledger
from gateway.database.sqlite import SqliteDatabase
from tests.unit.ledger.conftest import START, Files, unmatched

DAY = int(START) // 86_400


def count(name: str, variant: int = 0, *, questions: int = 1000, variants: int = 5) -> Count:
    return Count("person", name.encode().ljust(16), variant.to_bytes(8, "big"), questions, variants)


async def ask(ledger: Ledger, jti: str, *counts: Count, withheld: bool = False, day: int = DAY) -> Appended:
    return await ledger.log_answer(unmatched(jti, spend=Spend(day, counts, withheld)))


async def outcomes(ledger: Ledger, asked: Sequence[tuple[str, Count]]) -> Counter[str]:
    """What becomes of questions that are asked at once."""
    results = await asyncio.gather(*(ask(ledger, jti, each) for jti, each in asked), return_exceptions=True)
    return Counter(type(result).__name__ for result in results)


async def rows(storage: SqliteDatabase) -> list[tuple[Any, ...]]:
    def work() -> Any:
        return (yield "SELECT day, name, variant, questions FROM asked_today", ())

    found: list[tuple[Any, ...]] = await storage.read(work())
    return found


async def test_of_many_variants_at_once_five_are_answered(files: Files) -> None:
    ledger, _ = await files.ledger()
    asked = [(f"j{number}", count("her", number)) for number in range(40)]
    assert await outcomes(ledger, asked) == {"Appended": 5, "BudgetSpent": 35}
    assert (await ledger.head()).size == 5


async def test_two_processes_share_one_budget(files: Files) -> None:
    (one, _), (two, _) = await files.ledger(), await files.ledger()
    for number in range(5):
        await ask((one, two)[number % 2], f"j{number}", count("her", number))
    for ledger in (one, two):
        with pytest.raises(BudgetSpent) as refused:
            await ask(ledger, "j9", count("her", 9))
        assert [each.kind for each in refused.value.counts] == ["person"]
    await ask(one, "j10", count("him", 9))


async def test_the_number_of_questions_is_exact_and_a_replay_is_not_counted(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ask(ledger, "j0", count("her", questions=7))
    with pytest.raises(ReplayedError):
        await ask(ledger, "j0", count("her", questions=7))
    asked = [(f"k{number}", count("her", questions=7)) for number in range(20)]
    assert await outcomes(ledger, asked) == {"Appended": 6, "BudgetSpent": 14}
    assert [row[3] for row in await rows(storage)] == [7]


async def test_what_is_withheld_is_on_record_and_marks_the_budget_in_one_row_more(files: Files) -> None:
    ledger, storage = await files.ledger()
    for number in range(60):
        await ask(ledger, f"j{number}", count("her", number), withheld=number >= 5)
    assert len(await rows(storage)) == 6
    assert (await ledger.head()).size == 60
    with pytest.raises(BudgetSpent):  # also for what was answered before
        await ask(ledger, "again", count("her", 0))


async def test_more_people_than_one_statement_takes_are_counted_apart(files: Files) -> None:
    ledger, storage = await files.ledger()
    many = tuple(count(f"person {number}") for number in range(600))
    for jti in ("a", "b"):
        await ask(ledger, jti, *many)
    assert [row[3] for row in await rows(storage)] == [2] * 600


async def test_a_new_day_begins_at_nothing_and_old_rows_and_secrets_go(files: Files) -> None:
    ledger, storage = await files.ledger()
    secrets = []
    for day in range(4):
        files.clock.time = START + day * 86_400
        secrets.append(await files.opened[0].write(day_secret("northshire", DAY + day)))
        for number in range(5):
            await ask(ledger, f"{day}-{number}", count("her", number), day=DAY + day)
    assert {row[0] for row in await rows(storage)} == {DAY + 2, DAY + 3}
    assert len(set(secrets)) == 4

    def kept() -> Any:
        return (yield "SELECT day, secret FROM day_key ORDER BY day", ())

    assert await files.opened[0].read(kept()) == [(DAY + 2, secrets[2]), (DAY + 3, secrets[3])]
    assert await files.opened[0].write(day_secret("northshire", DAY + 3)) == secrets[3]
