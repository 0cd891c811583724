"""Keeps this node's ledger believable: compares it with what witnesses hold, signs its head, and has it cosigned.

visit(), at start, hourly, at shutdown and by `patchwork ledger checkpoint`:
  (1) our own newest checkpoint: the ledger still has what it signed
  (2) ask every witness what it last saw of us; a note counts only with our own signature on it
  (3) behind or inconsistent with any of them: sign nothing, disclose nothing (standing.py) until an officer has acted
  (4) fill the ledger up, so that its size tells of questions alone (consent_ledger/padding.py); sign that head and keep
      it. Once an hour: what a witness that was not heard is offered again is the head signed last
  (5) have each witness that answered cosign it, with the proof that it extends what that witness holds; one that has
      done so is not troubled again, though another is silent
  (6) keep the cosignatures that hold, and each witness's last word; one that refuses is an alarm, unless another
      process of this node (`patchwork ledger checkpoint` beside the one that serves) was there meanwhile
A witness that is silent stops nobody but at the start, and there only the hub (docs/decisions/offline-witnesses.md).
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consent_ledger import heads, proofs
from consent_ledger.checkpoint import Checkpoint, Head, cosigned_by, origin_of, sign, with_cosignatures
from consent_ledger.errors import LedgerCorrupt, LedgerError, LedgerUnavailable
from consent_ledger.heads import Said, Stored, Word
from consent_ledger.ledger import Ledger
from consent_ledger.note import NoteInvalid
from consent_ledger.reader import LedgerReader, tell_nobody
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.days import DAY_S, HOUR_S
from gateway.errors import (
    FederationError,
    HubError,
    LedgerDoubtful,
    PatchworkError,
    StorageDamaged,
    WireError,
)
from gateway.events import emit
from gateway.node.identity import Identity
from gateway.node.ledger_comparison import check_origin, check_own, check_seen, epoch_of
from gateway.node.standing import Standing
from gateway.node.storage_fault import storage_fault
from gateway.node.witnesses import NOT_OURS, Answer, Witnesses
from gateway.wire import jws
from gateway.wire.checkpoints import TYP as WITNESS_KEY
from gateway.wire.federation import HUB
from gateway.wire.limits import MAX_STATEMENT_BYTES

EVERY_S = HOUR_S
RETRY_S = 60.0  # while a witness has not been heard
SOON_S = 5.0  # while nothing may be disclosed
LAST_VISIT_S = 3.0  # how long start and shutdown wait for witnesses
MAX_REASON = 200
MAX_TIME_OFF_S = 300.0  # of a cosignature just given: well beyond what honest clocks differ by
MAX_TRIES = 3  # with one witness on one visit, while other processes of this node overtake
VERIFY_PAUSE_S = 0.05  # after each thousand entries, so that answers meanwhile are as quick as ever
VERIFY_S = DAY_S  # between two recomputations of the whole ledger
DAMAGED_S = 60.0  # after one that found damage, or could not read to the end
NOT_COMPARED = "the ledger has not yet been compared with what"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One round: the checkpoint that was signed, and each witness's word about it."""

    stored: Stored
    words: tuple[Word, ...]


class Checkpoints:
    """One for each node; `database` is the ledger's own."""

    def __init__(
        self,
        *,
        me: Identity,
        ledger: Ledger,
        database: Database,
        witnesses: Witnesses,
        standing: Standing,
        clock: Clock,
    ) -> None:
        self.witnesses = witnesses
        self.standing = standing
        self._me = me
        self._ledger = ledger
        self._database = database
        self._clock = clock
        self._unheard = {HUB}  # whose word is needed before anything is disclosed
        self._damage = ""
        self._complaints: dict[str, str] = {}

    async def begin(self) -> None:
        """Before this node listens: compare, and until that is done disclose nothing."""
        self.standing.close(f"{NOT_COMPARED} the hub holds of it")
        try:
            await self._ledger.check_consents()  # recompute(), which looks at all else, goes on beside answering
        except (LedgerCorrupt, StorageDamaged) as error:
            self._damage = str(error)
            self._doubt(self._damage)
        with contextlib.suppress(LedgerDoubtful, TimeoutError):  # said in the log; keep() goes on trying
            async with asyncio.timeout(LAST_VISIT_S):
                await self.compare()

    async def end(self) -> None:
        """At shutdown: a last checkpoint, signed here whoever is there, and cosigned by whoever is quick."""
        with contextlib.suppress(PatchworkError, LedgerError, TimeoutError):
            if not self.standing.doubt:
                await self._sign()
            async with asyncio.timeout(LAST_VISIT_S):
                await self.visit(sign=False)

    async def visit(self, *, sign: bool = True) -> Visit:
        """Steps (1)-(6); unless `sign`, with the newest head that is signed already, if there is one.

        Raises LedgerDoubtful, with `standing` closed, and StorageError.
        """
        answers = await self.compare()
        self.standing.check()
        newest = None if sign else await self._database.read(heads.newest())
        stored = newest or await self._sign()
        return await self._have_all_cosign(stored, answers)

    async def compare(self) -> list[Answer]:
        """Steps (1)-(3), and opens `standing` if all is well; raises LedgerDoubtful, StorageError."""
        try:
            await self._database.read(check_own(self.witnesses.log.name))  # (1)
            answers = await self.witnesses.ask()  # (2)
            for answer in answers:  # (3)
                if answer.seen is not None:
                    self._unheard.add(answer.witness)  # what it once held against us no later silence undoes
                    await self._database.read(check_seen(answer.witness, answer.seen))
                if not answer.silent:
                    self._unheard.discard(answer.witness)
        except (LedgerDoubtful, LedgerCorrupt, StorageDamaged) as error:
            self._doubt(str(error))
            raise LedgerDoubtful(str(error)) from error
        waiting = [answer for answer in answers if answer.witness in self._unheard]
        if waiting:
            who = "the hub" if waiting[0].witness == HUB else waiting[0].witness
            self.standing.close(f"{NOT_COMPARED} {who} holds of it: {waiting[0].silent}")
        elif self._damage:
            self.standing.close(self._damage)
        else:
            self.standing.open()
        return answers

    async def keep(self) -> None:
        """Sign a head hourly; visit sooner while nothing may be disclosed or a witness has not been heard."""
        now = asyncio.get_running_loop().time
        due = now()
        while True:
            wait_s = RETRY_S
            try:
                sign = now() >= due
                visit = await self.visit(sign=sign)
                if sign:
                    due = now() + EVERY_S
                if all(word.said is not Said.NO_WORD for word in visit.words):
                    wait_s = due - now()
            except LedgerDoubtful:
                pass  # said when it was found
            except LedgerError as error:
                self._doubt(str(error))
            except PatchworkError as error:
                emit("ledger.doubtful", level=logging.WARNING, code=error.code, reason=str(error))
            await asyncio.sleep(SOON_S if self.standing.doubt else wait_s)

    async def keep_verified(self) -> None:
        """Recompute the whole ledger at start and daily; soon again if that came to no good end."""
        while True:
            wait_s: float = VERIFY_S
            try:
                await self.recompute()
            except PatchworkError as error:
                emit("ledger.doubtful", level=logging.WARNING, code=error.code, reason=str(error))
                wait_s = DAMAGED_S
            await asyncio.sleep(DAMAGED_S if self._damage else wait_s)

    async def recompute(
        self, record: LedgerReader | None = None, *, walked: Callable[[int], None] = tell_nobody
    ) -> str:
        """Verify every entry; what does not fit, or lies in a damaged page, closes `standing` until it does.

        Returns what does not fit, "" if all does. `record` is another reader of this ledger, `walked` hears how many
        entries it has been through. Raises StorageError if the file cannot be read now, which says nothing of what is
        in it.
        """
        try:
            await self._database.read(check_origin(self.witnesses.log.name))  # or every entry would stand under no key
            await (record or self._ledger).verify(pause_s=VERIFY_PAUSE_S, walked=walked)
            self._damage = ""
        except (LedgerCorrupt, LedgerDoubtful, StorageDamaged) as error:
            self._damage = str(error)
            self._doubt(self._damage)
        return self._damage

    async def open_epoch(self, after: Head) -> Visit:
        """An officer's decision on a restored ledger: sign its head as the first of a new epoch that names the old."""
        latest = await self._database.read(heads.newest())
        epoch = max(after.epoch, epoch_of(None if latest is None else latest.checkpoint)) + 1
        stored = await self._sign(epoch=epoch, after=after)
        return await self._have_all_cosign(stored, await self.witnesses.ask())

    async def _have_all_cosign(self, stored: Stored, answers: Sequence[Answer]) -> Visit:
        words = await asyncio.gather(*(self._have_cosigned(stored, answer) for answer in answers))
        return Visit(stored=stored, words=tuple(words))

    async def _sign(self, *, epoch: int = 0, after: Head | None = None) -> Stored:
        """(4) Raises LedgerCorrupt, StorageError; and ClockWrong, with nothing appended by such a clock."""
        self.witnesses.check_clock()
        latest = await self._database.read(heads.newest())
        if not epoch:
            epoch = epoch_of(None if latest is None else latest.checkpoint)
            after = None if latest is None else latest.checkpoint.after
        try:
            tree = await self._ledger.filled()
        except LedgerUnavailable as error:
            raise storage_fault(error) from error
        head = Head(epoch=epoch, size=tree.size, root=tree.root())
        checkpoint = Checkpoint(origin=self.witnesses.log.name, head=head, after=after)
        note = sign(checkpoint, self.witnesses.log, self._me.ledger_key)
        await self._database.write(heads.keep(checkpoint, note, self._clock.now()))
        return Stored(checkpoint=checkpoint, note=note)

    async def _have_cosigned(self, stored: Stored, answer: Answer) -> Word:
        """(5) and (6)"""
        head = stored.checkpoint.head
        already = await self._has_cosigned(head, answer)
        word = self._said(Said.COSIGNED, answer, head) if already else await self._word(stored, answer)
        await self._database.write(heads.keep_word(word))
        if word.said is Said.COSIGNED and not already:
            emit("witness.cosigned", witness=word.witness, size=head.size, epoch=head.epoch)
        elif word.reason and self._complaints.get(word.witness) != word.reason:  # once, not each minute
            refused = word.said is Said.REFUSED
            event, level = ("witness.refused", logging.ERROR) if refused else ("witness.silent", logging.WARNING)
            emit(event, level=level, witness=word.witness, reason=word.reason)
        self._complaints[word.witness] = word.reason
        return word

    async def _has_cosigned(self, head: Head, answer: Answer) -> bool:
        if answer.seen is None or answer.seen.head != head:
            return False
        name = origin_of(self._me.federation, answer.witness)
        return await self._database.read(heads.is_cosigned(head, name))

    async def _word(self, stored: Stored, answer: Answer, tries: int = MAX_TRIES) -> Word:
        head = stored.checkpoint.head
        if answer.silent and answer.silent != NOT_OURS:
            return self._said(Said.NO_WORD, answer, None, answer.silent)
        try:
            keys = self.witnesses.keys_of(answer, self._clock.now())
            verdict = await self.witnesses.submit(answer.witness, stored.note, await self._proof(answer.seen, head))
        except (HubError, WireError, FederationError) as error:
            return self._said(Said.NO_WORD, answer, None, str(error)[:MAX_REASON])
        if verdict.cosignature is None:
            return await self._after_refusal(stored, answer, verdict.refused or "", tries)
        try:
            note = with_cosignatures(stored.note, [verdict.cosignature])
            cosigned, key = next((each, key) for key in keys if (each := cosigned_by(note, key)) is not None)
        except (NoteInvalid, StopIteration):
            return self._said(Said.REFUSED, answer, head, "gave a cosignature that does not hold")
        if abs(cosigned.time - self._clock.now()) > MAX_TIME_OFF_S:
            return self._said(Said.REFUSED, answer, head, "gave a cosignature of another time than now")
        if answer.key_statement is not None:
            signed_by = jws.signer(answer.key_statement, typ=WITNESS_KEY, max_bytes=MAX_STATEMENT_BYTES)
            await self._database.write(
                heads.keep_key(
                    answer.witness, key.public, answer.key_statement, signed_by=signed_by, now=self._clock.now()
                )
            )
        await self._database.write(heads.keep_cosignature(head, cosigned))
        return self._said(Said.COSIGNED, answer, head)

    async def _after_refusal(self, stored: Stored, answer: Answer, reason: str, tries: int) -> Word:
        """A refusal counts if the witness still holds what it held: else another process of this node was faster."""
        head = stored.checkpoint.head
        fresh = await self.witnesses.ask_one(answer.witness)
        if tries <= 1 or fresh.seen is None or fresh.seen == answer.seen:
            return self._said(Said.REFUSED, answer, head, reason)
        try:
            await self._database.read(check_seen(fresh.witness, fresh.seen))
        except LedgerDoubtful as error:
            self._doubt(str(error))
            return self._said(Said.REFUSED, answer, head, reason)
        if fresh.seen.head.place >= head.place:
            return self._said(Said.COSIGNED, fresh, fresh.seen.head)  # a later head, which bears this one out
        return await self._word(stored, fresh, tries - 1)

    def _said(self, said: Said, answer: Answer, head: Head | None, reason: str = "") -> Word:
        return Word(witness=answer.witness, at=int(self._clock.now()), said=said, head=head, reason=reason)

    async def _proof(self, seen: Checkpoint | None, head: Head) -> Sequence[bytes]:
        if seen is None or seen.head.epoch != head.epoch:
            return ()
        return await self._database.read(proofs.consistency(seen.head.size, head.size))

    def _doubt(self, reason: str) -> None:
        if reason != self.standing.doubt:
            emit("ledger.doubtful", level=logging.ERROR, code=LedgerDoubtful.code, reason=reason)
        self.standing.close(reason)
