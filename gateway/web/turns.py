"""One at a time: what counts how much there is before it adds to it, where no transaction spans both.

    async with site.turns.of(f"consent {user.id}"):
        if await count() < MOST:
            await add()

For work in the ledger, which is written apart from what is read. Where one transaction of a database does both, that is
turn enough.
"""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """A lock for each name; one that nobody holds or waits for is gone."""

    def __init__(self) -> None:
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def of(self, name: str) -> asyncio.Lock:
        """The lock of this name."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
