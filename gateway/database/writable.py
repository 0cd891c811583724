"""Whether a database takes writes: asked of the engine by writing, for a full disk shows in nothing else."""

import asyncio
import time

from gateway.database.contract import Database, Statement, Work
from gateway.errors import StorageError

CHECK_S = 5.0  # anybody may ask whether we are ready; the disk is asked no oftener than this


class Writable:
    """Asks one database, and remembers its answer for CHECK_S."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_at_a_time = asyncio.Lock()
        self._checked_at = -CHECK_S
        self._refused: StorageError | None = None

    async def check(self) -> None:
        """Raises StorageError if it did not take the last write that was tried."""
        async with self._one_at_a_time:
            if time.monotonic() - self._checked_at >= CHECK_S:
                try:
                    await self._database.write(_write_what_is_there())
                    self._refused = None
                except StorageError as error:
                    self._refused = error
                self._checked_at = time.monotonic()
            if self._refused is not None:
                raise self._refused.again()


def _write_what_is_there() -> Work[None]:
    """The schema's version once more: it changes nothing, and goes to the disk like anything else."""
    rows = yield Statement("PRAGMA user_version")
    yield Statement(f"PRAGMA user_version = {rows[0][0]:d}")
