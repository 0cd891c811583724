"""One sequencer task, many entries per transaction, one fsync for all of them.

Whoever appends waits until the entry is on disk. Meanwhile others queue up, and the next transaction takes them all:
(1) take what waits (2) find their keys, make and store those that are missing (3) append all in one transaction, see
append.py (4) tell each its place or its refusal. If storing fails, every entry of the batch hears LedgerUnavailable,
nothing is written, and the next batch tries afresh; nothing of the tree is remembered outside the database.

Fillers alone are appended without it, by Ledger.filled(), through the same append_all: nothing may come between them
and the size that is signed. An exclusive transaction keeps the two apart, as it does two processes.

What is kept beside the tree (kept.py) rides along with the next transaction; nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from consent_ledger import kept, keystore
from consent_ledger.append import Appended, Draft, append_all
from consent_ledger.errors import LedgerError, LedgerUnavailable
from consent_ledger.kept import Rider
from consent_ledger.keystore import Key, Owner
from consent_ledger.storage import Storage, Work

MAX_BATCH = 256  # entries of one transaction: some 15 ms of work
MAX_WAITING = 4096  # entries; beyond that answers would be late anyhow
RIDERS_WAIT_S = 1.0  # what rides along is written by itself if nothing else is for so long


@dataclass(frozen=True, slots=True)
class _Waiting:
    drafts: Sequence[Draft]  # appended together, in this order, or none of them
    done: asyncio.Future[list[Appended]]


class Sequencer:
    """One for each process of a node; several may append to one file."""

    def __init__(self, storage: Storage, keys: Storage, clock: Callable[[], float], federation: str) -> None:
        """As for Ledger."""
        self._storage = storage
        self._keys = keys
        self._clock = clock
        self._federation = federation
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self._riders: list[Rider] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take entries."""
        self._task = asyncio.create_task(self._run(), name="ledger sequencer")

    async def close(self) -> None:
        """Write what waits, then stop; later entries hear LedgerUnavailable."""
        task, self._task = self._task, None
        if task is not None:
            await self._waiting.join()
            task.cancel()
            await asyncio.wait([task])
            await self.flush()

    async def append(self, drafts: Sequence[Draft]) -> list[Appended]:
        """Append these together, in this order, or none of them; returns when they are on disk.

        Raises LedgerUnavailable, and what append.py refuses a draft with.
        """
        if self._task is None:
            raise LedgerUnavailable("the ledger is closed")
        waiting = _Waiting(drafts, asyncio.get_running_loop().create_future())
        try:
            self._waiting.put_nowait(waiting)
        except asyncio.QueueFull:
            raise LedgerUnavailable("too many entries are waiting") from None
        return await waiting.done

    def ride(self, *riders: Rider) -> None:
        """Have these written with the next transaction, or by themselves a second later."""
        if not self._riders:
            asyncio.get_running_loop().call_later(RIDERS_WAIT_S, self._nudge)
        self._riders += riders[: kept.MAX_WAITING - len(self._riders)]

    async def flush(self) -> None:
        """Write what still rides, if it can be written."""
        if self._riders:
            with suppress(Exception):  # they ride along with a later batch then
                await self._write([])

    async def _run(self) -> None:
        while True:
            batch = [await self._waiting.get()]  # (1)
            while len(batch) < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            drafts = [draft for each in batch for draft in each.drafts]
            try:
                results = iter(await self._write(drafts))
            except Exception as error:  # whatever it is, these entries are not on record
                results = iter([unavailable(error) for _ in drafts])
            for each in batch:  # (4)
                own = list(islice(results, len(each.drafts)))
                if not each.done.done():  # who was cancelled hears nothing, though the entry may stand
                    _tell(each.done, own)
                self._waiting.task_done()

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Appended | LedgerError]:
        riders, self._riders = self._riders, []
        try:
            return await self._write_with(drafts, riders)
        except BaseException:
            later, self._riders = self._riders, []
            self.ride(*riders, *later)
            raise

    async def _write_with(self, drafts: Sequence[Draft], riders: Sequence[Rider]) -> Sequence[Appended | LedgerError]:
        owners = dict.fromkeys(draft.owner for draft in drafts)
        guarded = dict.fromkeys(person for draft in drafts if draft.guard for person in draft.guard.persons)
        held = dict.fromkeys(person for draft in drafts if draft.held for person in draft.held.persons)
        wanted = owners | guarded | held | dict.fromkeys(kept.owners(riders))
        keys: dict[Owner, Key] = await self._keys.read(keystore.find(wanted, self._federation))  # (2)
        # Of whom an answer guards, too: a consent that another process records by then is found by its key alone.
        missing = [owner for owner in owners | guarded | held if owner not in keys]
        if missing:
            keys |= await self._keys.write(keystore.make(missing, self._federation))
        return await self._storage.write(self._append_with(drafts, riders, keys))  # (3)

    def _append_with(
        self, drafts: Sequence[Draft], riders: Sequence[Rider], keys: dict[Owner, Key]
    ) -> Work[list[Appended | LedgerError]]:
        results = (yield from append_all(drafts, keys, self._federation, self._clock())) if drafts else []
        yield from kept.write_riders(riders, keys, self._federation)
        return results

    def _nudge(self) -> None:
        """Have what still rides written by a batch of nothing else."""
        if self._riders and self._task is not None and self._waiting.empty():
            self._waiting.put_nowait(_Waiting((), asyncio.get_running_loop().create_future()))


def _tell(done: asyncio.Future[list[Appended]], results: Sequence[Appended | LedgerError]) -> None:
    appended = [result for result in results if isinstance(result, Appended)]
    refused = [result for result in results if not isinstance(result, Appended)]
    if refused:  # a disclosure or a step of a case, each appended alone; or, with HeldConsents, all of them
        done.set_exception(refused[0])
    else:
        done.set_result(appended)


def unavailable(error: Exception) -> LedgerUnavailable:
    """One for each waiting entry, because a raised exception collects its caller's traceback."""
    heard = LedgerUnavailable(f"the ledger cannot be written ({type(error).__name__})")
    heard.__cause__ = error
    return heard
