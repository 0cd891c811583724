"""Own staff's looks on record: one a day for each of them and each client, whatever goes wrong meanwhile."""

import asyncio
from dataclasses import replace

import pytest

from consent_ledger.errors import LedgerUnavailable
from consent_ledger.kinds import KindClass
from consent_ledger.looked import LookedEntry
from consent_ledger.read import clock_high
from consent_ledger.storage import Row, Work

from .conftest import START, Files

LOOK = LookedEntry(
    member="housing",
    account="a" * 32,
    name="Wendy Smith",
    role="Housing officer",
    purpose="COC",
    lawful_basis="public-task",
    person_id=7,
    at=START,
    secret=b"s" * 32,
)
DAY_S = 86_400


async def test_a_day_has_one_entry_however_often_and_at_once_somebody_looks(files: Files) -> None:
    ledger, _ = await files.ledger()
    other, _ = await files.ledger()  # as another process of the node
    looks = [each.log_look(replace(LOOK, at=START + hour * 60)) for hour in range(5) for each in (ledger, other)]
    assert sorted(await asyncio.gather(*looks)) == [False] * 9 + [True]
    assert len([entry async for entry in ledger.entries()]) == 1


async def test_another_day_person_or_account_is_another_look(files: Files) -> None:
    ledger, _ = await files.ledger()
    for look in (LOOK, replace(LOOK, person_id=8), replace(LOOK, account="b" * 32)):
        assert await ledger.log_look(look)
    files.clock.time += DAY_S
    assert await ledger.log_look(replace(LOOK, at=START + DAY_S))
    assert not await ledger.log_look(replace(LOOK, at=START + DAY_S))


async def test_a_look_stands_with_the_person_and_its_leaf_tells_nothing(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_look(LOOK)
    (entry,) = await ledger.about([7])
    assert entry.body is not None
    assert {name: entry.body[name] for name in ("kind", "by", "name", "role", "purpose", "lawful_basis")} == {
        "kind": "looked",
        "by": "a" * 32,
        "name": "Wendy Smith",
        "role": "Housing officer",
        "purpose": "COC",
        "lawful_basis": "public-task",
    }
    assert entry.header.kind_class is KindClass.DISCLOSURE
    rows = await storage.read(remembered())
    assert LOOK.account not in str(rows)
    await ledger.erase(7)
    assert [entry.body async for entry in ledger.entries()] == [None]


async def test_a_look_that_cannot_be_put_on_record_is_refused(files: Files) -> None:
    ledger, _ = await files.ledger()
    await ledger.close()
    with pytest.raises(LedgerUnavailable):
        await ledger.log_look(replace(LOOK, account="c" * 32))


async def test_a_look_by_a_clock_that_is_ahead_stops_no_answer_once_the_clock_is_right(files: Files) -> None:
    ledger, storage = await files.ledger()
    files.clock.time += 2 * DAY_S
    await ledger.log_look(replace(LOOK, at=START + 2 * DAY_S))
    files.clock.time = START
    assert await ledger.log_look(LOOK)
    assert await storage.read(clock_high()) <= START


def remembered() -> Work[list[Row]]:
    return (yield "SELECT issuer, jti FROM replay", ())
