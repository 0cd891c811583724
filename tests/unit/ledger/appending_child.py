"""Appends answers to the ledger in a folder until it is killed, and prints the id of each that was acknowledged."""

import asyncio
import sys
import time
from pathlib import Path

from consent_ledger.ledger import Ledger
from gateway.database.sqlite import open_sqlite
from tests.unit.ledger.conftest import START, answered


async def append(folder: Path, name: str) -> None:
    keys = await open_sqlite(folder / "keys.db", schema="keys")
    storage = await open_sqlite(folder / "ledger.db", schema="ledger")

    async def one(worker: int) -> None:
        for number in range(100_000):
            jti = f"{name}-{worker}-{number}."
            await ledger.log_answer(answered(jti, person_id=worker))
            sys.stdout.write(f"{jti}\n")
            sys.stdout.flush()

    begun = time.monotonic()
    async with Ledger(storage, keys, lambda: START + time.monotonic() - begun, "northshire") as ledger:
        await asyncio.gather(*(one(worker) for worker in range(32)))


asyncio.run(append(Path(sys.argv[1]), sys.argv[2]))
