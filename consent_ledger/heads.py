"""This ledger's own checkpoints, the cosignatures under them, each witness's last word: SQL of the ledger schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from consent_ledger.checkpoint import FIRST_EPOCH, Checkpoint, Cosigned, Head, parse
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.note import NoteInvalid, read
from consent_ledger.storage import Row, Work

MAX_KEY_STATEMENTS = 16  # docs/wire.md, "Evidence"


class Said(StrEnum):
    """What came of the last visit to a witness."""

    COSIGNED = "cosigned"
    REFUSED = "refused"
    NO_WORD = "no-word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A checkpoint as signed, and the cosignature lines under it, by witness."""

    checkpoint: Checkpoint
    note: str
    cosignatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A witness's last word: when, what, about which head (None: about none), and why not."""

    witness: str
    at: int
    said: Said
    head: Head | None
    reason: str = ""


def keep(checkpoint: Checkpoint, note: str, now: float) -> Work[None]:
    """Store a signed head; one that is there already stays as it is."""
    head = checkpoint.head
    yield (
        "INSERT INTO checkpoint (epoch, size, root, note, signed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (head.epoch, head.size, head.root, note, int(now)),
    )


def keep_cosignature(head: Head, cosigned: Cosigned) -> Work[None]:
    """Store a witness's line, in place of an older one of the same head."""
    yield (
        "INSERT INTO cosignature (epoch, size, witness, line) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (epoch, size, witness) DO UPDATE SET line = excluded.line",
        (head.epoch, head.size, cosigned.witness, cosigned.line),
    )


def is_cosigned(head: Head, witness: str) -> Work[bool]:
    """Whether a line under this head is stored of a witness, by the name in its key."""
    rows = yield "SELECT 1 FROM cosignature WHERE epoch = ? AND size = ? AND witness = ?", (*head.place, witness)
    return bool(rows)


def newest() -> Work[Stored | None]:
    """The newest checkpoint of the newest epoch; raises LedgerCorrupt."""
    rows = yield "SELECT epoch, size, root, note FROM checkpoint ORDER BY epoch DESC, size DESC LIMIT 1", ()
    return _stored(rows[0]) if rows else None


def covering(seq: int) -> Work[Stored | None]:
    """The first cosigned checkpoint of the newest epoch that covers an entry, else the newest of all that do."""
    rows = yield (
        "SELECT epoch, size, root, note FROM checkpoint WHERE size > ? AND epoch = (SELECT max(epoch) FROM checkpoint)"
        " ORDER BY EXISTS (SELECT 1 FROM cosignature WHERE cosignature.epoch = checkpoint.epoch"
        " AND cosignature.size = checkpoint.size) DESC, size LIMIT 1",
        (seq,),
    )
    if not rows:
        return None
    return _stored(rows[0], (yield from _lines(*rows[0][:2])))


def page(after: tuple[int, int], limit: int) -> Work[list[Stored]]:
    """Up to `limit` checkpoints after a place (epoch, size), in order, with their cosignatures."""
    rows = yield (
        "SELECT epoch, size, root, note FROM checkpoint WHERE (epoch, size) > (?, ?) ORDER BY epoch, size LIMIT ?",
        (*after, limit),
    )
    found = []
    for row in rows:
        lines = yield from _lines(*row[:2])
        found.append(_stored(row, lines))
    return found


def signed_at(head: Head) -> Work[int]:
    """When a stored checkpoint was signed, in epoch seconds by this node's clock."""
    ((at,),) = yield "SELECT signed_at FROM checkpoint WHERE epoch = ? AND size = ?", head.place
    return int(at)


def restored_at() -> Work[list[int]]:
    """When this ledger went on after it had lost entries, in epoch seconds: once for each epoch but the first."""
    rows = yield (
        "SELECT min(signed_at) FROM checkpoint WHERE epoch > ? GROUP BY epoch ORDER BY epoch",
        (FIRST_EPOCH,),
    )
    return [row[0] for row in rows]


def keep_word(word: Word) -> Work[None]:
    """Store a witness's last word in place of the one before."""
    head = word.head
    yield (
        "INSERT INTO witness_word (witness, at, said, epoch, size, root, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (witness) DO UPDATE SET at = excluded.at, said = excluded.said, epoch = excluded.epoch,"
        " size = excluded.size, root = excluded.root, reason = excluded.reason",
        (
            word.witness,
            word.at,
            word.said.value,
            None if head is None else head.epoch,
            None if head is None else head.size,
            None if head is None else head.root,
            word.reason,
        ),
    )


def words() -> Work[list[Word]]:
    """Each witness's last word, by name."""
    rows = yield "SELECT witness, at, said, epoch, size, root, reason FROM witness_word ORDER BY witness", ()
    return [
        Word(
            witness=witness,
            at=at,
            said=Said(said),
            head=None if epoch is None else Head(epoch=epoch, size=size, root=root),
            reason=reason,
        )
        for witness, at, said, epoch, size, root, reason in rows
    ]


def newest_signed_at() -> Work[int | None]:
    """When the newest head was signed; None before the first."""
    rows = yield "SELECT signed_at FROM checkpoint ORDER BY epoch DESC, size DESC LIMIT 1", ()
    return rows[0][0] if rows else None


def cosigned_at() -> Work[dict[str, int]]:
    """When each witness last cosigned a head that can be dated, by its id.

    Its last word says so; if that was another, the newest head that has its line does.
    """
    lines = yield (
        "SELECT cosignature.witness, max(signed_at) FROM cosignature JOIN checkpoint USING (epoch, size)"
        " GROUP BY cosignature.witness",
        (),
    )
    dated = {name.rpartition("/")[2]: at for name, at in lines}
    said = yield "SELECT witness, at FROM witness_word WHERE said = ?", (Said.COSIGNED.value,)
    return dated | dict(said)


def keep_key(witness: str, public: bytes, statement: str, *, signed_by: str, now: float) -> Work[None]:
    """Store the signed statement that says which key a witness cosigns with: one for each key that signed it."""
    yield (
        "INSERT INTO witness_key (witness, public, signed_by, statement, kept_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (witness, public, signed_by, statement, int(now)),
    )


def key_statements(witness: str) -> Work[list[str]]:
    """Such statements that were ever seen of a witness, the newest: as many as a file of evidence may hold."""
    rows = yield (
        "SELECT statement FROM witness_key WHERE witness = ? ORDER BY kept_at DESC LIMIT ?",
        (witness, MAX_KEY_STATEMENTS),
    )
    return [row[0] for row in rows]


def _lines(epoch: int, size: int) -> Work[tuple[str, ...]]:
    rows = yield "SELECT line FROM cosignature WHERE epoch = ? AND size = ? ORDER BY witness", (epoch, size)
    return tuple(row[0] for row in rows)


def _stored(row: Row, lines: Sequence[str] = ()) -> Stored:
    *columns, note = row
    try:
        stored = Stored(checkpoint=parse(read(note).text), note=note, cosignatures=tuple(lines))
    except NoteInvalid as error:
        raise LedgerCorrupt(f"a stored checkpoint cannot be read: {error}") from error
    head = stored.checkpoint.head
    if columns != [head.epoch, head.size, head.root]:
        raise LedgerCorrupt(f"the stored checkpoint of {columns[1]} entries is not the one that its note signs")
    return stored
