"""Reading a ledger: entries opened where their key exists, proofs, counts, and the recomputation of all of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from math import inf

from consent_ledger import exchange, heads, keystore, read
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.exchange import HourCount
from consent_ledger.kinds import EntryKind
from consent_ledger.merkle import EMPTY_ROOT
from consent_ledger.proof import FoundEntry, Proved, find_question, prove
from consent_ledger.read import Entry, TreeHead
from consent_ledger.record import read_leaf
from consent_ledger.storage import Storage
from consent_ledger.verify import Walk, verify_chunk
from consent_ledger.verify_keys import KeyWalk

_SLICE = 50  # entries opened between two looks at what else waits: some 2 ms


def tell_nobody(_count: int) -> None:
    """For whoever does not want to hear how far a walk has come."""


class LedgerReader:
    """Reads and changes nothing; while others append, what it returns is of one moment of each read."""

    def __init__(self, storage: Storage, keys: Storage, federation: str) -> None:
        """`storage` has the ledger's tables, `keys` the key store's."""
        self._storage = storage
        self._keys = keys
        self._federation = federation

    async def head(self) -> TreeHead:
        """Size and root of the tree."""
        return await self._storage.read(read.tree_head())

    async def signed_head(self) -> TreeHead:
        """The tree of the newest checkpoint, empty without any: others may know it, and not what came since."""
        newest = await self._storage.read(heads.newest())
        if newest is None:
            return TreeHead(size=0, root=EMPTY_ROOT.hex())
        head = newest.checkpoint.head
        return TreeHead(size=head.size, root=head.root.hex())

    async def entries(
        self, since: int = 0, *, before: int | None = None, hour: int = 0, last_hour: int | None = None
    ) -> AsyncIterator[Entry]:
        """All entries from seq `since` on (to `before`), opened where their key exists; raises LedgerCorrupt at the
        first bad one.

        Those written before `hour` (hours since the epoch) or after `last_hour` are passed over unopened, wherever they
        stand: one that a wrong clock dated ends no walk.
        """
        while rows := await self._storage.read(read.chunk(since)):
            since = rows[-1][0] + 1
            if before is not None:
                rows = [row for row in rows if row[0] < before]
            if hour or last_hour is not None:
                most = inf if last_hour is None else last_hour
                rows = [row for row in rows if hour <= read_leaf(row[3]).header.hour <= most]
            for entry in await self._opened(rows):
                yield entry
            if before is not None and since >= before:
                return

    async def about(self, person_ids: Sequence[int]) -> list[Entry]:
        """What is on record under these ids of one person, in ledger order; raises LedgerCorrupt."""
        found: list[Entry] = []
        for key_id in await self._keys.read(keystore.key_ids(person_ids)):
            found += await self._under(key_id)
        return sorted(found, key=lambda entry: entry.seq)

    async def erasures(self) -> list[Entry]:
        """What is on record of erasures, in ledger order, as far back as officers' acts can be read.

        Of whom, none of them tells. Raises LedgerCorrupt.
        """
        years = [key_id for period, key_id in await self.periods() if period.isdecimal()]
        acts = [entry for key_id in years for entry in await self._under(bytes.fromhex(key_id))]
        return [entry for entry in acts if entry.body is not None and entry.body["kind"] == EntryKind.ERASURE]

    async def _under(self, key_id: bytes) -> list[Entry]:
        found: list[Entry] = []
        since = 0
        while rows := await self._storage.read(read.chunk_of(key_id, since)):
            since = rows[-1][0] + 1
            found += await self._opened(rows)
        return found

    async def entry(self, seq: int) -> tuple[Entry, int | None] | None:
        """One entry, and the id of the person under whose key it stands; None if there is none."""
        rows = await self._storage.read(read.row_at(seq))
        if not rows:
            return None
        (entry,) = await self._opened(rows)
        return entry, await self._keys.read(keystore.person_of(rows[0][2]))

    async def key_ids(self, person_ids: Sequence[int]) -> list[str]:
        """Ids (hex) of the secrets that these ids of a person have."""
        return [key_id.hex() for key_id in await self._keys.read(keystore.key_ids(person_ids))]

    async def periods(self) -> list[tuple[str, str]]:
        """Months, and years of governance, whose secret exists, with its id (hex)."""
        return await self._keys.read(keystore.periods(self._federation))

    async def _opened(self, rows: Sequence[tuple[int, str, bytes, bytes, bytes]]) -> list[Entry]:
        secrets = await self._keys.read(keystore.secrets_by_id({row[2] for row in rows}))
        opened: list[Entry] = []
        for start in range(0, len(rows), _SLICE):
            for seq, _, key_id, leaf, hashed in rows[start : start + _SLICE]:
                opened.append(read.open_entry(seq, leaf, hashed, secrets.get(key_id)))
            await asyncio.sleep(0)
        return opened

    async def question(
        self, jti: str, *, asked_by: str | None = None, since_hour: int = 0, before: int | None = None
    ) -> list[FoundEntry]:
        """The entries about our question, or a member's (`asked_by`), of those before entry `before`; those of people
        who were erased are not found.
        """
        return await find_question(
            self._storage, self._keys, jti, asked_by=asked_by, since_hour=since_hour, before=before
        )

    async def prove(self, seqs: Sequence[int]) -> Proved:
        """That these entries are in the tree; raises LedgerCorrupt if a stored checkpoint says otherwise."""
        return await self._storage.read(prove(seqs))

    async def exchanged(self, member: str, since: int, until: int) -> dict[int, HourCount]:
        """Questions and answers between this node and a member, by hour; settle() first."""
        return await self._storage.read(exchange.counts(member, since, until))

    async def exchanged_from(self) -> int:
        """The first hour (since the epoch) of which counts are still kept."""
        return await self._storage.read(exchange.kept_from())

    async def exchanged_with(self, since: int, until: int) -> list[str]:
        """Members with whom there were any; settle() first."""
        return await self._storage.read(exchange.counterparts(since, until))

    async def check_consents(self) -> None:
        """That the key store knows the secret of each person who has said something; raises LedgerCorrupt.

        Without it an objection could not be read, and would count for nothing. Quick enough to go before any answer.
        """
        rows = await self._storage.read(read.consent_keys())
        unknown = await self._keys.read(keystore.unknown_of([key_id for (key_id,) in rows]))
        if unknown:
            raise LedgerCorrupt(f"consents stand under {unknown} keys that are not in the key store")

    async def verify(
        self, *, pause_s: float = 0.0, keys: bool = True, walked: Callable[[int], None] = tell_nobody
    ) -> TreeHead:
        """Recompute every hash, subtree, projection and the head from the entries, and hold each entry against the key
        store, or without `keys` to itself; raises LedgerCorrupt naming what is wrong.

        While others append, entries that arrive during the walk are verified too. `pause_s` leaves them room, and
        `walked` hears how many have been looked at.
        """
        held = KeyWalk(self._storage, self._keys)
        await held.start()
        walk = Walk(agreements=held.agreements if keys else None, destroyed=held.destroyed)
        while rows := await self._storage.read(verify_chunk(walk)):
            if keys:
                await held.check(rows)
            walked(walk.tree.size)
            await asyncio.sleep(pause_s)
        return TreeHead(size=walk.tree.size, root=walk.tree.root().hex())
