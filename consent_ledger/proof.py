"""One entry with all that it takes to show that it is in a tree, and what it says, to somebody who has neither.

The entry's own key goes with it, never the secret from which it is derived: that would open every other entry of the
same person or month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consent_ledger import heads, keystore
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.heads import Stored
from consent_ledger.kinds import ANSWERS, EntryKind, KindClass
from consent_ledger.merkle import ProofInvalid, verify_inclusion
from consent_ledger.proofs import inclusion, root_at
from consent_ledger.read import CHUNK_ROWS
from consent_ledger.record import entry_key, open_leaf, read_leaf
from consent_ledger.storage import Row, Storage, Work

_OURS = frozenset((EntryKind.ASKED, EntryKind.RECEIVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEntry:
    """An entry about one question, opened; `secret` is that over all its person or month."""

    seq: int
    leaf: bytes
    secret: bytes = field(repr=False)
    body: Mapping[str, Any]

    @property
    def key(self) -> bytes:
        """What opens this entry alone."""
        return entry_key(read_leaf(self.leaf), self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """An entry's leaf hash, and the hashes that lead from it to a root."""

    leaf_hash: bytes
    hashes: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Paths of entries by seq, in one tree, and the checkpoint of that tree if there is one."""

    size: int
    root: bytes
    paths: Mapping[int, Path]
    stored: Stored | None


async def find_question(
    storage: Storage, keys: Storage, jti: str, *, asked_by: str | None, since_hour: int = 0, before: int | None = None
) -> list[FoundEntry]:
    """The entries about a question, oldest first: our own, asked and perhaps received, if `asked_by` is None; else the
    one that answers that member's. None if none can be opened.

    Whom we asked know our ids, and could ask us under the same one: so an id alone finds nothing. Reads the ledger
    backwards (from entry `before`, if it is given), a chunk at a time, and opens no leaf that is older than
    `since_hour`; one that a wrong clock dated stops it nowhere.
    """
    found: list[FoundEntry] = []
    before = await storage.read(_size()) if before is None else before
    while rows := await storage.read(_rows_before(before)):
        secrets = await keys.read(keystore.secrets_by_id({row[1] for row in rows}))
        for seq, key_id, leaf in rows:
            header = read_leaf(leaf).header
            secret = secrets.get(key_id)
            if header.hour < since_hour or header.kind_class is not KindClass.DISCLOSURE or secret is None:
                continue
            body = open_leaf(leaf, secret)
            if body.get("jti") != jti or not _is_wanted(body, asked_by):
                continue
            found.append(FoundEntry(seq=seq, leaf=leaf, secret=secret, body=body))
            if body["kind"] != EntryKind.RECEIVED:  # a question is asked before anything is received
                return found[::-1]
        before = rows[-1][0]
    return found[::-1]


def _is_wanted(body: Mapping[str, Any], asked_by: str | None) -> bool:
    if asked_by is None:
        return body["kind"] in _OURS
    return body["kind"] in ANSWERS and body["asker"]["member"] == asked_by


def prove(seqs: Sequence[int]) -> Work[Proved]:
    """Inclusion proofs for these entries, checked, under the checkpoint of heads.covering(), or under the tree as it
    stands if no checkpoint covers them all.

    Raises LedgerCorrupt if the checkpoint is not one of these entries: they, or it, have been changed.
    """
    stored = yield from heads.covering(max(seqs))
    size = (yield from _size()) if stored is None else stored.checkpoint.head.size
    root = yield from root_at(size)
    if root is None or (stored is not None and root != stored.checkpoint.head.root):
        raise LedgerCorrupt(
            f"the stored checkpoint of {size} entries does not fit them: entries or checkpoint have been changed"
        )
    paths: dict[int, Path] = {}
    for seq in seqs:
        hashed, hashes = yield from inclusion(seq, size)
        try:
            verify_inclusion(hashed, seq, size, hashes, root)
        except ProofInvalid as error:
            raise LedgerCorrupt(f"entry {seq} is not in the tree of its ledger: {error}") from error
        paths[seq] = Path(leaf_hash=hashed, hashes=hashes)
    return Proved(size=size, root=root, paths=paths, stored=stored)


def _size() -> Work[int]:
    ((size,),) = yield "SELECT size FROM ledger_head WHERE id = 1", ()
    return int(size)


def _rows_before(before: int) -> Work[list[Row]]:
    """Newest first."""
    rows = yield "SELECT seq, key_id, leaf FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before, CHUNK_ROWS)
    return rows
