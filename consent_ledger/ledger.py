"""The node's ledger: one sequencer task, many entries per transaction, one fsync for all of them.

Whoever appends waits until the entry is on disk. Meanwhile others queue up, and the next transaction takes them all:
(1) take what waits (2) find their keys, make and store those that are missing (3) append all in one transaction, see
append.py (4) tell each its place or its refusal. If storing fails, every entry of the batch hears LedgerUnavailable,
nothing is written, and the next batch tries afresh; nothing of the tree is remembered outside the database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Any

from consent_ledger import keystore, read
from consent_ledger.append import AcceptedAgreement, Appended, Draft, Guard, append_all
from consent_ledger.checkpoint import Head
from consent_ledger.consent import ConsentEntry, to_body
from consent_ledger.entries import AnsweredEntry, AskedEntry, CorrectionEntry, ReceivedEntry
from consent_ledger.keystore import Key, Owner
from consent_ledger.read import Entry, TreeHead, Walk
from consent_ledger.record import EntryKind, LedgerError, LedgerUnavailable, Storage, body_bytes

MAX_BATCH = 256  # entries of one transaction: some 15 ms of work
MAX_WAITING = 4096  # entries; beyond that answers would be late anyhow

_MAX_ID = 2**63 - 1  # of SQL's integers


@dataclass(frozen=True, slots=True)
class _Waiting:
    drafts: Sequence[Draft]  # appended together, in this order, or none of them
    done: asyncio.Future[list[Appended]]


class Ledger:
    """Append and read. Use as `async with Ledger(...) as ledger`, or `start()` and `close()`."""

    def __init__(self, storage: Storage, keys: Storage, clock: Callable[[], float], federation: str) -> None:
        """`storage` has the ledger's tables, `keys` the key store's; `clock` gives epoch seconds."""
        self._storage = storage
        self._keys = keys
        self._clock = clock
        self._federation = federation
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self._sequencer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take entries."""
        self._sequencer = asyncio.create_task(self._run(), name="ledger sequencer")

    async def close(self) -> None:
        """Write what waits, then stop; later entries hear LedgerUnavailable."""
        sequencer, self._sequencer = self._sequencer, None
        if sequencer is not None:
            await self._waiting.join()
            sequencer.cancel()
            await asyncio.wait([sequencer])

    async def __aenter__(self) -> "Ledger":
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    # Writing. Each returns when the entry is on disk, and raises LedgerUnavailable if it is not.

    async def log_answer(self, entry: AnsweredEntry) -> Appended:
        """Put an answer on record before it leaves; raises ReplayedError, HeadMoved, ClockBehind, LedgerUnavailable."""
        return await self._append(EntryKind.ANSWERED, entry.body(), entry.person_id, guard=entry.guard())

    async def log_question(self, entry: AskedEntry) -> Appended:
        """Put a question on record before it is asked."""
        return await self._append(EntryKind.ASKED, entry.body(), None)

    async def log_received(self, entry: ReceivedEntry) -> Appended:
        """Put on record what came back."""
        return await self._append(EntryKind.RECEIVED, entry.body(), None)

    async def log_correction(self, entry: CorrectionEntry) -> list[Appended]:
        """Put a decision about two people on record before it acts: one entry for each, under each one's key."""
        return await self._together(
            [self._draft(EntryKind.CORRECTION, entry.body(), each) for each in (entry.person_id, entry.other_id)]
        )

    async def record(self, person_id: int, entry: ConsentEntry) -> Appended:
        """Record a consent, withdrawal or objection; it acts on every decision not yet on record."""
        return (await self.record_all([(person_id, entry)]))[0]

    async def record_all(self, entries: Sequence[tuple[int, ConsentEntry]]) -> list[Appended]:
        """Record several, as (person id, entry), in one transaction: in this order, or none of them."""
        return await self._together(
            [
                self._draft(EntryKind(entry.kind), {**to_body(entry), "person_id": person_id}, person_id)
                for person_id, entry in entries
            ]
        )

    async def accept_agreement(self, agreement: AcceptedAgreement, *, by: str) -> Appended:
        """Accept exactly this agreement, or (`accepted` False) no longer; `by` is the officer's id."""
        body = {
            "uri": agreement.uri,
            "version": agreement.version,
            "sha256": agreement.sha256,
            "accepted": agreement.accepted,
            "by": by,
        }
        return await self._append(EntryKind.AGREEMENT, body, None, agreement=agreement)

    async def log_epoch(self, after: Head, *, by: str) -> Appended:
        """Put on record that the officer `by` lets a ledger go on that has lost what `after` had."""
        lost = {"epoch": after.epoch, "size": after.size, "root": after.root.hex()}
        return await self._append(EntryKind.EPOCH, {"after": lost, "by": by}, None)

    async def erase(self, person_id: int) -> bool:
        """Destroy the secret over all that the ledger says of a person; the tree still verifies. False if none."""
        try:
            return await self._keys.write(keystore.destroy(_checked(person_id), self._federation))
        except Exception as error:
            raise LedgerUnavailable("the key store cannot be written") from error

    # Reading.

    async def head(self) -> TreeHead:
        """Size and root of the tree."""
        return await self._storage.read(read.tree_head())

    async def entries(self, since: int = 0) -> AsyncIterator[Entry]:
        """All entries from seq `since` on, opened where their key exists; raises LedgerCorrupt at the first bad one."""
        while rows := await self._storage.read(read.chunk(since)):
            secrets = await self._keys.read(keystore.secrets_by_id({row[2] for row in rows}))
            for seq, _, key_id, leaf, hashed in rows:
                yield read.open_entry(seq, leaf, hashed, secrets.get(key_id))
            since = rows[-1][0] + 1

    async def verify(self, *, pause_s: float = 0.0) -> TreeHead:
        """Recompute every hash, subtree and the head from the entries; raises LedgerCorrupt naming what is wrong.

        While others append, entries that arrive during the walk are verified too. `pause_s` leaves them room.
        """
        walk = Walk()
        more = True
        while more:
            more = await self._storage.read(read.verify_chunk(walk))
            await asyncio.sleep(pause_s)
        return TreeHead(size=walk.tree.size, root=walk.tree.root().hex())

    # The sequencer.

    async def _append(
        self,
        kind: EntryKind,
        body: dict[str, Any],
        person_id: int | None,
        *,
        guard: Guard | None = None,
        agreement: AcceptedAgreement | None = None,
    ) -> Appended:
        draft = self._draft(kind, body, person_id, guard=guard, agreement=agreement)
        return (await self._together([draft]))[0]

    def _draft(
        self,
        kind: EntryKind,
        body: dict[str, Any],
        person_id: int | None,
        *,
        guard: Guard | None = None,
        agreement: AcceptedAgreement | None = None,
    ) -> Draft:
        at = self._clock()
        return Draft(
            kind=kind,
            body=body_bytes(kind, at, body),
            owner=_month(at) if person_id is None else _checked(person_id),
            at=at,
            guard=guard,
            agreement=agreement,
        )

    async def _together(self, drafts: Sequence[Draft]) -> list[Appended]:
        if self._sequencer is None:
            raise LedgerUnavailable("the ledger is closed")
        waiting = _Waiting(drafts, asyncio.get_running_loop().create_future())
        try:
            self._waiting.put_nowait(waiting)
        except asyncio.QueueFull:
            raise LedgerUnavailable("too many entries are waiting") from None
        return await waiting.done

    async def _run(self) -> None:
        while True:
            batch = [await self._waiting.get()]  # (1)
            while len(batch) < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            drafts = [draft for each in batch for draft in each.drafts]
            try:
                results = iter(await self._write(drafts))
            except Exception as error:  # whatever it is, these entries are not on record
                results = iter([_unavailable(error) for _ in drafts])
            for each in batch:  # (4)
                own = list(islice(results, len(each.drafts)))
                if not each.done.done():  # who was cancelled hears nothing, though the entry may stand
                    _tell(each.done, own)
                self._waiting.task_done()

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Appended | LedgerError]:
        owners = dict.fromkeys(draft.owner for draft in drafts)
        guarded = dict.fromkeys(person for draft in drafts if draft.guard for person in draft.guard.persons)
        keys: dict[Owner, Key] = await self._keys.read(keystore.find(owners | guarded, self._federation))  # (2)
        missing = [owner for owner in owners if owner not in keys]
        if missing:
            keys |= await self._keys.write(keystore.make(missing, self._federation))
        return await self._storage.write(append_all(drafts, keys, self._federation, self._clock()))  # (3)


def _tell(done: asyncio.Future[list[Appended]], results: Sequence[Appended | LedgerError]) -> None:
    appended = [result for result in results if isinstance(result, Appended)]
    refused = [result for result in results if not isinstance(result, Appended)]
    if refused:  # only a disclosure is ever refused, and each is appended alone
        done.set_exception(refused[0])
    else:
        done.set_result(appended)


def _unavailable(error: Exception) -> LedgerUnavailable:
    """One for each waiting entry, because a raised exception collects its caller's traceback."""
    unavailable = LedgerUnavailable(f"the ledger cannot be written ({type(error).__name__})")
    unavailable.__cause__ = error
    return unavailable


def _checked(person_id: int) -> int:
    if not 0 <= person_id <= _MAX_ID:
        raise ValueError("a person's id does not fit the ledger")
    return person_id


def _month(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")
