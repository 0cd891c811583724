"""Looking through the record backwards, in steps that are bounded however long it is.

Only leaves of the hours that are wanted are opened. Entries stand in the order in which they were written, so a search
begins behind the last of those hours, found by halves, and stops where all that is left is older. A clock that was once
wrong has left hours out of order: whoever goes on, or begins at the end, finds those too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent_ledger import keystore
from consent_ledger.read import Entry, open_entry, row_at
from consent_ledger.record import LeafReader, read_leaf
from consent_ledger.storage import Row, Work

MAX_SEEN = 20_000  # leaves whose hour is looked at in one step: a tenth of a second
MAX_OPENED = 2_000  # of which so many are opened: some 50 ms
_PIECE = 500

Wanted = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step found, newest first, between the entries `first` and `last` (before which it began).

    `unreadable` of the hours wanted have no key any more. `passed`: it stopped because what is left is older.
    """

    found: Sequence[Entry]
    first: int
    last: int
    unreadable: int
    passed: bool


def search_back(before: int, *, hours: tuple[int, int], wanted: Wanted, limit: int) -> Work[Step]:
    """One step back from entry `before`: up to `limit` entries of these hours (since 1970, both included).

    For a reader that sees the ledger's and the key store's tables. Raises LedgerCorrupt.
    """
    found: list[Entry] = []
    seen = opened = unreadable = 0
    last, leaves = before, LeafReader()
    while before > 0 and seen < MAX_SEEN:
        rows = yield (
            "SELECT seq, key_id, leaf, leaf_hash FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT ?",
            (before, _PIECE),
        )
        if not rows:
            before = 0
            break
        dated: list[tuple[int, Row]] = [(leaves.header(row[2]).hour, row) for row in rows]
        due = [row for hour, row in dated if hours[0] <= hour <= hours[1]]
        secrets = yield from keystore.secrets_by_id({row[1] for row in due})
        for seq, key_id, leaf, hashed in due:
            if len(found) == limit or opened == MAX_OPENED:
                return Step(found=found, first=seq + 1, last=last, unreadable=unreadable, passed=False)
            secret = secrets.get(key_id)
            opened += 1
            if secret is None:
                unreadable += 1
                continue
            entry = open_entry(seq, leaf, hashed, secret)
            if entry.body is not None and wanted(entry.body):
                found.append(entry)
        seen += len(rows)
        before = rows[-1][0]
        if all(hour < hours[0] for hour, _ in dated):
            return Step(found=found, first=before, last=last, unreadable=unreadable, passed=before > 0)
    return Step(found=found, first=before, last=last, unreadable=unreadable, passed=False)


def end_of(hour: int) -> Work[int]:
    """The entry before which a search for this hour begins, found by halves: the first that is later, or the end."""
    ((size,),) = yield "SELECT size FROM ledger_head WHERE id = 1", ()
    low, high = 0, int(size)
    while low < high:
        middle = (low + high) // 2
        rows = yield from row_at(middle)
        if not rows:
            return int(size)
        if read_leaf(rows[0][3]).header.hour > hour:
            high = middle
        else:
            low = middle + 1
    return low
