"""An answer about somebody of several records stands only if nobody objected under any of them, in any process."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.errors import HeadMoved
from consent_ledger.ledger import Ledger
from consent_ledger.storage import Storage
from tests.unit.ledger.conftest import Files, answered

OBJECTION = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception")


class Overtaken:
    """A database in which something else is written just before the first write."""

    def __init__(self, storage: Storage, by: Callable[[], Awaitable[Any]]) -> None:
        self._storage, self._by = storage, [by]

    async def read(self, work: Any) -> Any:
        return await self._storage.read(work)

    async def write(self, work: Any) -> Any:
        while self._by:
            await self._by.pop()()
        return await self._storage.write(work)


@pytest.mark.parametrize("record", [7, 8, 9])
async def test_an_objection_under_a_record_without_a_key_stops_an_answer_being_written(
    files: Files, record: int
) -> None:
    other, _ = await files.ledger()
    storage, keys = await files.databases()
    overtaken = Overtaken(storage, lambda: other.record(record, OBJECTION))
    async with Ledger(overtaken, keys, files.clock, "northshire") as ledger:
        with pytest.raises(HeadMoved):
            await ledger.log_answer(answered("j1", person_ids=(7, 8, 9)))
        placed = await ledger.log_answer(answered("j2", person_ids=(7, 8, 9), consent_head=0))
    assert placed.seq == 1
