"""Every entry held against the key store: `ledger.db` alone says under which key an entry stands, in no hash.

(1) an entry whose key exists opens under it, and is about the person whose key it is
(2) one whose key does not exist stands under a key that was destroyed, of which no more entries were counted then; one
    that came later was being written in that very hour
(3) of what the entries say, the accepted agreements, and the ids of questions that have not expired, are as they are
    stored
So an entry that was moved to another key, to hide an objection or a disclosure, is damage and not an erasure.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from consent_ledger import keystore, read
from consent_ledger.append import REPLAY_MARGIN_S
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.keystore import Destroyed, Held
from consent_ledger.kinds import ANSWERS, EntryKind
from consent_ledger.record import LeafReader, open_parts, read_leaf
from consent_ledger.storage import Row, Storage, Work
from consent_ledger.verify import Agreements

_SLICE = 25  # entries opened between two looks at what else waits: under a millisecond

Question = tuple[str, str, str, int]  # federation, issuer, id, when it may be forgotten


class KeyWalk:
    """How far it has come; one for each verification."""

    def __init__(self, storage: Storage, keys: Storage) -> None:
        """`storage` has the ledger's tables, `keys` the key store's."""
        self.agreements: Agreements = {}
        self.destroyed: set[bytes] = set()
        self._storage = storage
        self._keys = keys
        self._leaves = LeafReader()
        self._unreadable: Counter[bytes] = Counter()
        self._questions: list[Question] = []
        self._forgotten_before = 0

    async def start(self) -> None:
        """Note up to when questions have been forgotten: nothing of before has to be looked at."""
        self._forgotten_before = int(await self._storage.read(read.clock_high()))

    async def check(self, rows: Sequence[Row]) -> None:
        """The next rows (seq, federation, key id, leaf, leaf hash); raises LedgerCorrupt naming what does not fit."""
        known = await self._keys.read(keystore.held_by_id({row[2] for row in rows}))
        for start in range(0, len(rows), _SLICE):
            for seq, federation, key_id, leaf, _ in rows[start : start + _SLICE]:
                match known.get(key_id):
                    case Held() as held:
                        self._open(seq, federation, leaf, held)
                    case Destroyed() as destroyed:
                        self._pass(seq, key_id, leaf, destroyed)
                    case None:
                        raise LedgerCorrupt(
                            f"entry {seq} stands under a key that is not in the key store, and that nobody destroyed"
                        )
            await asyncio.sleep(0)
        if self._questions:
            questions, self._questions = self._questions, []
            await self._storage.read(_verify_remembered(questions))

    def _open(self, seq: int, federation: str, leaf: bytes, held: Held) -> None:
        """(1)"""
        try:
            body = open_parts(self._leaves.read(leaf), held.secret)
        except LedgerCorrupt as error:
            raise LedgerCorrupt(f"entry {seq}: {error}") from error
        if (
            held.person_id is not None
            and "person_id" in body
            and held.person_id not in (body["person_id"], body.get("other_id"))
        ):
            raise LedgerCorrupt(f"entry {seq} is about somebody else than the person under whose key it stands")
        kind = body["kind"]
        if kind == EntryKind.AGREEMENT:  # (3)
            row = (body["uri"], body["version"], seq) if body["accepted"] else None
            self.agreements[federation, body["sha256"]] = row
        elif kind in ANSWERS:
            self._remember(federation, body)

    def _remember(self, federation: str, body: Mapping[str, Any]) -> None:
        until = body["expires_at"] + REPLAY_MARGIN_S
        if until >= self._forgotten_before:
            self._questions.append((federation, body["asker"]["member"], body["jti"], until))

    def _pass(self, seq: int, key_id: bytes, leaf: bytes, destroyed: Destroyed) -> None:
        """(2)"""
        self.destroyed.add(key_id)
        if seq < destroyed.size:
            self._unreadable[key_id] += 1
            fits = self._unreadable[key_id] <= destroyed.entries
        else:
            fits = read_leaf(leaf).header.hour <= destroyed.hour + 1
        if not fits:
            raise LedgerCorrupt(f"entry {seq} stands under a destroyed key, under which it was not when that was")


def _verify_remembered(questions: Sequence[Question]) -> Work[None]:
    """No question that has not expired for good could be asked again."""
    high = int((yield from read.clock_high()))
    for federation, issuer, jti, until in questions:
        if until < high:
            continue
        if not (yield from read.was_answered(federation, issuer, jti)):
            raise LedgerCorrupt("the id of a question that was answered is not among those that are remembered")
