"""One rate for several hub processes."""

import asyncio
from pathlib import Path

import pytest

from gateway.database.sqlite import open_sqlite
from gateway.errors import Replayed, TooManyRequests
from gateway.hub.bucket import BURST_S, Rate
from gateway.hub.replay import SeenId, accept_once
from gateway.hub.shared_rate import SharedRate
from tests.hub.kit import NOW

PER_MINUTE = 60


def _id(number: int, member: str = "housing") -> SeenId:
    return SeenId(kind="request", issuer=member, id=str(number), expires_at=NOW + 600)


async def test_two_processes_count_each_request_once_and_what_is_refused_not_at_all(tmp_path: Path) -> None:
    rate = SharedRate(Rate(PER_MINUTE))
    processes = [await open_sqlite(tmp_path / "hub.db", schema="hub") for _ in range(2)]

    async def accepted(number: int, *, member: str = "housing", now: float = NOW) -> bool:
        try:
            await accept_once(processes[number % 2], [_id(number, member)], now=now, counted=rate.take(member, now))
        except TooManyRequests:
            return False
        return True

    results = await asyncio.gather(*(accepted(number) for number in range(40)))
    assert sum(results) == BURST_S * PER_MINUTE / 60
    assert await accepted(0, member="police")
    refused = results.index(False)
    assert await accepted(refused, now=NOW + 1), "the id of a refused request is not kept"
    assert not await accepted(100, now=NOW + 1)
    for database in processes:
        await database.close()


async def test_a_request_that_comes_twice_uses_up_nothing(tmp_path: Path) -> None:
    rate = SharedRate(Rate(6))  # one at once
    database = await open_sqlite(tmp_path / "hub.db", schema="hub")
    await accept_once(database, [_id(1)], now=NOW, counted=rate.take("housing", NOW))
    with pytest.raises(Replayed):
        await accept_once(database, [_id(1)], now=NOW + 10, counted=rate.take("housing", NOW + 10))
    await accept_once(database, [_id(2)], now=NOW + 10, counted=rate.take("housing", NOW + 10))
    await database.close()
