"""Which witness vouches for how much of this ledger, recomputed from stored or given checkpoints. Needs no network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consent_ledger import heads, proofs
from consent_ledger.checkpoint import Checkpoint, Cosigned, verify_by_any, with_cosignatures
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.note import NoteInvalid, NoteKey
from gateway.database.contract import Database
from gateway.node.cosignatures import read_cosignatures
from gateway.wire.federation import HUB, Federation

PAGE = 500  # checkpoints of one read


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """The furthest head that a witness has cosigned, and when."""

    checkpoint: Checkpoint
    cosigned: Cosigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """How many checkpoints were checked, how many of them the ledger does not bear out as of an epoch that has ended,
    and the furthest word of each witness by name.
    """

    checked: int
    ended: int
    by: dict[str, Voucher]


async def vouched(database: Database, *, logs: Sequence[NoteKey], federation: Federation | None) -> Vouched:
    """All stored checkpoints, by all ledger keys that this node has had (`logs`).

    Raises LedgerCorrupt for one that the ledger does not bear out.
    """
    checked = ended = 0
    by: dict[str, Voucher] = {}
    newest = await database.read(heads.newest())
    place = (0, 0)
    while page := await database.read(heads.page(place, PAGE)):
        for stored in page:
            borne_out = await _borne_out(database, stored.checkpoint)
            if not borne_out and newest is not None and stored.checkpoint.head.epoch == newest.checkpoint.head.epoch:
                raise LedgerCorrupt(f"the checkpoint of {stored.checkpoint.head.size} entries does not fit them")
            ended += not borne_out
            if borne_out:
                await _note(by, database, with_cosignatures(stored.note, stored.cosignatures), logs, federation)
        checked += len(page)
        place = page[-1].checkpoint.head.place
    return Vouched(checked=checked, ended=ended, by=by)


async def vouched_by(
    notes: Iterable[str], database: Database, *, logs: Sequence[NoteKey], federation: Federation | None
) -> Vouched:
    """Checkpoints that somebody else has kept; raises NoteInvalid for one that is not ours, LedgerCorrupt."""
    by: dict[str, Voucher] = {}
    checked = 0
    for note in notes:
        checkpoint, _ = verify_by_any(note, logs)
        if not await _borne_out(database, checkpoint):
            raise LedgerCorrupt(
                f"the checkpoint of {checkpoint.head.size} entries, epoch {checkpoint.head.epoch}, does not fit them"
            )
        await _note(by, database, note, logs, federation)
        checked += 1
    return Vouched(checked=checked, ended=0, by=by)


async def _borne_out(database: Database, checkpoint: Checkpoint) -> bool:
    return await database.read(proofs.root_at(checkpoint.head.size)) == checkpoint.head.root


async def _note(
    by: dict[str, Voucher], database: Database, note: str, logs: Sequence[NoteKey], federation: Federation | None
) -> None:
    """Count a note's cosignatures; one under a ledger key that was lost counts for nothing."""
    if federation is None:
        return
    try:
        checkpoint, log = verify_by_any(note, logs)
    except NoteInvalid:
        return
    statements = await database.read(heads.key_statements(HUB))
    for cosigned in read_cosignatures(note, federation, statements, log=log.name).vouched:
        before = by.get(cosigned.witness)
        if before is None or before.checkpoint.head.place <= checkpoint.head.place:
            by[cosigned.witness] = Voucher(checkpoint=checkpoint, cosigned=cosigned)
