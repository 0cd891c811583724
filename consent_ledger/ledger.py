"""The node's ledger: one sequencer task, many entries per transaction, one fsync for all of them.

Whoever appends waits until the entry is on disk. Meanwhile others queue up, and the next transaction takes them all:
(1) take what waits (2) find their keys, make and store those that are missing (3) append all in one transaction, see
append.py (4) tell each its place or its refusal. If storing fails, every entry of the batch hears LedgerUnavailable,
nothing is written, and the next batch tries afresh; nothing of the tree is remembered outside the database.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Any

from consent_ledger import case_table, exchange, kept, keystore
from consent_ledger.append import AcceptedAgreement, Appended, Draft, Guard, append_all
from consent_ledger.case import CaseId, Mark, Step, opened_by
from consent_ledger.case_rebuild import rebuild
from consent_ledger.case_table import CaseStep, Opening
from consent_ledger.checkpoint import Head
from consent_ledger.consent import ConsentEntry, to_body
from consent_ledger.entries import AnsweredEntry, AskedEntry, CorrectionEntry, ReceivedEntry
from consent_ledger.governance import GovernanceEntry
from consent_ledger.kept import LateAnswer, Rider, SentAnswer
from consent_ledger.keystore import Key, Owner
from consent_ledger.looked import LookedEntry
from consent_ledger.proof import FoundEntry
from consent_ledger.reader import LedgerReader
from consent_ledger.record import (
    KIND_CLASSES,
    CaseRefused,
    EntryKind,
    KindClass,
    LedgerError,
    LedgerUnavailable,
    ReplayedError,
    Storage,
    Work,
    body_bytes,
)

MAX_BATCH = 256  # entries of one transaction: some 15 ms of work
MAX_WAITING = 4096  # entries; beyond that answers would be late anyhow
RIDERS_WAIT_S = 1.0  # what rides along is written by itself if nothing else is for so long

_MAX_ID = 2**63 - 1  # of SQL's integers


@dataclass(frozen=True, slots=True)
class _Waiting:
    drafts: Sequence[Draft]  # appended together, in this order, or none of them
    done: asyncio.Future[list[Appended]]


class Ledger(LedgerReader):
    """Append and read. Use as `async with Ledger(...) as ledger`, or `start()` and `close()`."""

    def __init__(self, storage: Storage, keys: Storage, clock: Callable[[], float], federation: str) -> None:
        """`storage` has the ledger's tables, `keys` the key store's; `clock` gives epoch seconds."""
        super().__init__(storage, keys, federation)
        self._clock = clock
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING)
        self._riders: list[Rider] = []
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
            await self._flush()

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
        return await self._append(entry.kind, entry.body(), entry.person_id, guard=entry.guard())

    async def log_question(self, entry: AskedEntry) -> Appended:
        """Put a question on record before it is asked."""
        return await self._append(EntryKind.ASKED, entry.body(), None)

    async def log_received(self, entry: ReceivedEntry) -> Appended:
        """Put on record what came back."""
        return await self._append(EntryKind.RECEIVED, entry.body(), None)

    async def log_look(self, entry: LookedEntry) -> bool:
        """Put an own-staff look on record before it is shown; False if that day has one of theirs at this person.

        Raises ClockBehind, LedgerUnavailable.
        """
        try:
            await self._append(EntryKind.LOOKED, entry.body(), entry.person_id, guard=entry.guard())
        except ReplayedError:
            return False
        return True

    async def log_correction(self, entry: CorrectionEntry) -> list[Appended]:
        """Put a decision about two people on record before it acts: one entry for each, under each one's key."""
        return await self._together(
            [self._draft(EntryKind.CORRECTION, entry.body(), each) for each in (entry.person_id, entry.other_id)]
        )

    async def log_case(self, case: CaseId, step: Step, said: Mapping[str, Any]) -> Appended:
        """Put a step of a case on record, under the key of whom it is about; raises CaseRefused.

        `said` is who, what and why; of somebody erased since, the step stands with what concerns nobody.
        """
        row = await self._storage.read(case_table.load(case))
        if row is None:
            raise CaseRefused("there is no such case")
        person_id = await self._keys.read(keystore.person_of(row.key_id))
        kind = EntryKind.FINDING if step is Step.CLOSED else EntryKind.CASE
        body = {**said, "case": str(case), "step": step.value}
        draft = self._draft(kind, body, person_id, step=CaseStep(case, step))
        return (await self._together([draft]))[0]

    async def mark_case(self, case: CaseId, mark: Mark, *, to: str) -> None:
        """Note that `to` was told or reminded of a case, on disk and in no entry.

        Raises CaseRefused, LedgerUnavailable.
        """
        hour = int(self._clock()) // 3600
        try:
            refused = await self._storage.write(case_table.mark(case, mark, to=to, hour=hour))
        except Exception as error:
            raise _unavailable(error) from error
        if refused is not None:
            raise refused

    async def rebuild_cases(self) -> list[CaseId]:
        """Make the table of cases what the entries say; returns those that differed. Raises LedgerCorrupt."""
        return await rebuild(self._storage, self._keys)

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

    async def note(self, entry: GovernanceEntry, person_id: int | None = None) -> Appended:
        """Put an officer's act on record, under the key of the person whom it concerns."""
        about = {} if person_id is None else {"person_id": person_id}
        return await self._append(entry.kind, {**entry.body(), **about}, person_id)

    async def destroy_period(self, period: str) -> bool:
        """Destroy the secret of a month, or of a year of governance; the tree still verifies. False if none."""
        return await self._destroy(period)

    async def log_epoch(self, after: Head, *, by: str) -> Appended:
        """Put on record that the officer `by` lets a ledger go on that has lost what `after` had."""
        lost = {"epoch": after.epoch, "size": after.size, "root": after.root.hex()}
        return await self._append(EntryKind.EPOCH, {"after": lost, "by": by}, None)

    async def erase(self, person_id: int) -> bool:
        """Destroy the secret over all that the ledger says of a person; the tree still verifies. False if none."""
        return await self._destroy(_checked(person_id))

    async def _destroy(self, owner: Owner) -> bool:
        try:
            return await self._keys.write(keystore.destroy(owner, self._federation))
        except Exception as error:
            raise LedgerUnavailable("the key store cannot be written") from error

    # Beside the tree: written with the next transaction, or by itself a second later. Nobody waits for it.

    def keep_answer(self, sent: SentAnswer) -> None:
        """Keep what left under an entry."""
        self._ride(sent)

    def note_late(self, member: str, jti: str) -> None:
        """Note that an answer to `member` was ready too late for them to have had it."""
        self._ride(LateAnswer(member, jti))

    # Reading what waits to be written beside the tree; the rest is LedgerReader's.

    async def sent(self, entry: FoundEntry) -> tuple[str, bytes] | None:
        """The exact answer, and its bundle in raw DEFLATE, that left under an entry; None if none is kept."""
        await self._flush()
        return await self._storage.read(kept.read_sent(entry.seq, entry.secret))

    async def settle(self) -> None:
        """Count what was asked, received and answered since the last time."""
        await self._flush()
        await exchange.settle(self._storage, self._keys, self._clock())

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
        step: CaseStep | None = None,
    ) -> Draft:
        at = self._clock()
        opened = opened_by(kind, body)
        return Draft(
            kind=kind,
            body=body_bytes(kind, at, body),
            owner=_period(kind, at) if person_id is None else _checked(person_id),
            at=at,
            guard=guard,
            agreement=agreement,
            opening=Opening(kinds=opened, body=body) if opened else None,
            step=step,
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
        riders, self._riders = self._riders, []
        try:
            return await self._write_with(drafts, riders)
        except BaseException:
            later, self._riders = self._riders, []
            self._ride(*riders, *later)
            raise

    async def _write_with(self, drafts: Sequence[Draft], riders: Sequence[Rider]) -> Sequence[Appended | LedgerError]:
        owners = dict.fromkeys(draft.owner for draft in drafts)
        guarded = dict.fromkeys(person for draft in drafts if draft.guard for person in draft.guard.persons)
        wanted = owners | guarded | dict.fromkeys(kept.owners(riders))
        keys: dict[Owner, Key] = await self._keys.read(keystore.find(wanted, self._federation))  # (2)
        missing = [owner for owner in owners if owner not in keys]
        if missing:
            keys |= await self._keys.write(keystore.make(missing, self._federation))
        return await self._storage.write(self._append_with(drafts, riders, keys))  # (3)

    def _append_with(
        self, drafts: Sequence[Draft], riders: Sequence[Rider], keys: dict[Owner, Key]
    ) -> Work[list[Appended | LedgerError]]:
        results = (yield from append_all(drafts, keys, self._federation, self._clock())) if drafts else []
        yield from kept.write_riders(riders, keys, self._federation)
        return results

    async def _flush(self) -> None:
        if self._riders:
            with suppress(Exception):  # they ride along with a later batch then
                await self._write([])

    def _ride(self, *riders: Rider) -> None:
        if not self._riders:
            asyncio.get_running_loop().call_later(RIDERS_WAIT_S, self._nudge)
        self._riders += riders[: kept.MAX_WAITING - len(self._riders)]

    def _nudge(self) -> None:
        """Have what still rides written by a batch of nothing else."""
        if self._riders and self._sequencer is not None and self._waiting.empty():
            self._waiting.put_nowait(_Waiting((), asyncio.get_running_loop().create_future()))


def _tell(done: asyncio.Future[list[Appended]], results: Sequence[Appended | LedgerError]) -> None:
    appended = [result for result in results if isinstance(result, Appended)]
    refused = [result for result in results if not isinstance(result, Appended)]
    if refused:  # only a disclosure or a step of a case is ever refused, and each is appended alone
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


def _period(kind: EntryKind, at: float) -> str:
    """Questions, and cases about them, are kept for a shorter time than what else this agency's officers did."""
    whole_year = KIND_CLASSES[kind] is KindClass.GOVERNANCE and kind not in (EntryKind.CASE, EntryKind.FINDING)
    return datetime.fromtimestamp(at, UTC).strftime("%Y" if whole_year else "%Y-%m")
