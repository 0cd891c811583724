"""The node's ledger: what may be put on record, each with its own type; sequencer.py writes it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from consent_ledger import case_table, exchange, exchange_erased, kept, keystore, padding, read
from consent_ledger.append import AcceptedAgreement, Appended, Draft, Guard, HeldConsents
from consent_ledger.case import CaseId, Mark, Step, opened_by
from consent_ledger.case_rebuild import rebuild
from consent_ledger.case_table import CaseStep, Opening
from consent_ledger.checkpoint import Head
from consent_ledger.consent import ConsentEntry, to_body
from consent_ledger.entries import AnsweredEntry, AskedEntry, CorrectionEntry, ReceivedEntry
from consent_ledger.errors import CaseRefused, LedgerCorrupt, LedgerError, LedgerUnavailable, ReplayedError
from consent_ledger.governance import GovernanceEntry
from consent_ledger.kept import LateAnswer, SentAnswer
from consent_ledger.keystore import Destroyed, Owner
from consent_ledger.kinds import KIND_CLASSES, EntryKind, KindClass
from consent_ledger.looked import LookedEntry
from consent_ledger.merkle import TreeHasher
from consent_ledger.proof import FoundEntry
from consent_ledger.reader import LedgerReader
from consent_ledger.record import body_bytes
from consent_ledger.sequencer import Sequencer, unavailable
from consent_ledger.storage import Storage

LAST_BATCH_S = 0.1  # by then a batch that had found a secret before it was destroyed has been written

_MAX_ID = 2**63 - 1  # of SQL's integers
_BY_MONTH = frozenset((EntryKind.CASE, EntryKind.FINDING, EntryKind.FILLER))  # of governance; the rest by year


class Ledger(LedgerReader):
    """Append and read. Use as `async with Ledger(...) as ledger`, or `start()` and `close()`."""

    def __init__(self, storage: Storage, keys: Storage, clock: Callable[[], float], federation: str) -> None:
        """`storage` has the ledger's tables, `keys` the key store's; `clock` gives epoch seconds."""
        super().__init__(storage, keys, federation)
        self._clock = clock
        self._sequencer = Sequencer(storage, keys, clock, federation)

    async def start(self) -> None:
        """Begin to take entries."""
        await self._sequencer.start()

    async def close(self) -> None:
        """Write what waits, then stop; later entries hear LedgerUnavailable."""
        await self._sequencer.close()

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
        return await self._sequencer.append(
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
        return (await self._sequencer.append([draft]))[0]

    async def mark_case(self, case: CaseId, mark: Mark, *, to: str) -> None:
        """Note that `to` was told or reminded of a case, on disk and in no entry.

        Raises CaseRefused, LedgerUnavailable.
        """
        hour = int(self._clock()) // 3600
        try:
            refused = await self._storage.write(case_table.mark(case, mark, to=to, hour=hour))
        except Exception as error:
            raise unavailable(error) from error
        if refused is not None:
            raise refused

    async def rebuild_cases(self) -> list[CaseId]:
        """Make the table of cases what the entries say; returns those that differed. Raises LedgerCorrupt."""
        return await rebuild(self._storage, self._keys)

    async def record(self, person_id: int, entry: ConsentEntry) -> Appended:
        """Record a consent, withdrawal or objection; it acts on every decision not yet on record."""
        return (await self.record_all([(person_id, entry)]))[0]

    async def record_all(
        self, entries: Sequence[tuple[int, ConsentEntry]], *, held: HeldConsents | None = None
    ) -> list[Appended]:
        """Record several, as (person id, entry), in one transaction: in this order, or none of them.

        Then the key store counts them (read.py), unless it cannot be written: they are on record all the same. Raises
        HeadMoved if anything was recorded of those in `held` after what it says.
        """
        appended = await self._sequencer.append(
            [
                self._draft(EntryKind(entry.kind), {**to_body(entry), "person_id": person_id}, person_id, held=held)
                for person_id, entry in entries
            ]
        )
        counted = [(person_id, each.seq) for (person_id, _), each in zip(entries, appended, strict=True)]
        with suppress(Exception):
            await self._keys.write(keystore.count_consents(counted))
        return appended

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
        """Put on record that the officer `by` lets a ledger go on that has lost what `after` had.

        From now on the key store holds people to the consents that are left and those entered again.
        """
        lost = {"epoch": after.epoch, "size": after.size, "root": after.root.hex()}
        appended = await self._append(EntryKind.EPOCH, {"after": lost, "by": by}, None)
        try:
            await self._keys.write(keystore.recount_consents(await self._storage.read(read.consents_by_key())))
        except Exception as error:
            raise unavailable(error) from error
        return appended

    async def filled(self) -> TreeHasher:
        """The tree with fillers at its end: what may be signed, and so be seen.

        Raises LedgerCorrupt, LedgerUnavailable.
        """
        now = self._clock()
        owner = _period(EntryKind.FILLER, now)
        try:
            keys = await self._keys.write(keystore.make([owner], self._federation))
            return await self._storage.write(padding.fill(owner, keys[owner], self._federation, now))
        except LedgerCorrupt:
            raise
        except Exception as error:
            raise unavailable(error) from error

    async def erase(self, person_id: int) -> bool:
        """Destroy the secret over all that the ledger says of a person; the tree still verifies. False if none.

        What members may ask the counts of stays as it was: questions of the last minutes are set aside first, and once
        more those that were answered until the secret was gone. Raises LedgerUnavailable, LedgerCorrupt.
        """
        try:
            secrets = await exchange_erased.secrets_of(self._keys, _checked(person_id))
            await exchange_erased.set_aside(self._storage, secrets)
            destroyed = await self._destroy(person_id)
            if destroyed:
                await asyncio.sleep(LAST_BATCH_S)
                await exchange_erased.set_aside(self._storage, secrets)
        except LedgerError:
            raise
        except Exception as error:
            raise unavailable(error) from error
        return destroyed

    async def _destroy(self, owner: Owner) -> bool:
        try:
            found = await self._keys.read(keystore.find([owner], self._federation))
            ids = [key.id for key in found.values()]
            under = await self._storage.read(read.under_keys(ids, hour=int(self._clock()) // 3600))
            return await self._keys.write(keystore.destroy(owner, self._federation, under))
        except Exception as error:
            raise LedgerUnavailable("the key store cannot be written") from error

    async def lost_keys(self) -> dict[bytes, Destroyed]:
        """Ids of secrets under which entries stand, that the key store does not have and that nobody destroyed."""
        under = await self._storage.read(read.under_all_keys(hour=int(self._clock()) // 3600))
        known = await self._keys.read(keystore.held_by_id(under))
        return {key_id: stood for key_id, stood in under.items() if key_id not in known}

    async def give_up(self, lost: Mapping[bytes, Destroyed]) -> None:
        """From now on take what stands under these as erased, once an officer's decision is on record."""
        try:
            await self._keys.write(keystore.note_destroyed(lost, self._federation))
        except Exception as error:
            raise LedgerUnavailable("the key store cannot be written") from error

    # Beside the tree: written with the next transaction, or by itself a second later. Nobody waits for it.

    def keep_answer(self, sent: SentAnswer) -> None:
        """Keep what left under an entry."""
        self._sequencer.ride(sent)

    def note_late(self, member: str, jti: str) -> None:
        """Note that an answer to `member` was ready too late for them to have had it."""
        self._sequencer.ride(LateAnswer(member, jti, self._clock()))

    # Reading what waits to be written beside the tree; the rest is LedgerReader's.

    async def sent(self, entry: FoundEntry) -> tuple[str, bytes] | None:
        """The exact answer, and its bundle in raw DEFLATE, that left under an entry; None if none is kept."""
        await self._sequencer.flush()
        return await self._storage.read(kept.read_sent(entry.seq, entry.secret))

    async def settle(self, *, pause_s: float = 0.0) -> None:
        """Count what was asked, received and answered since the last time; `pause_s` leaves answers room."""
        await self._sequencer.flush()
        await exchange.settle(self._storage, self._keys, self._clock(), pause_s=pause_s)

    # One entry as the sequencer takes it.

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
        return (await self._sequencer.append([draft]))[0]

    def _draft(
        self,
        kind: EntryKind,
        body: dict[str, Any],
        person_id: int | None,
        *,
        guard: Guard | None = None,
        agreement: AcceptedAgreement | None = None,
        step: CaseStep | None = None,
        held: HeldConsents | None = None,
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
            held=held,
        )


def _checked(person_id: int) -> int:
    if not 0 <= person_id <= _MAX_ID:
        raise ValueError("a person's id does not fit the ledger")
    return person_id


def _period(kind: EntryKind, at: float) -> str:
    """Questions, and cases about them, are kept for a shorter time than what else this agency's officers did."""
    whole_year = KIND_CLASSES[kind] is KindClass.GOVERNANCE and kind not in _BY_MONTH
    return datetime.fromtimestamp(at, UTC).strftime("%Y" if whole_year else "%Y-%m")
