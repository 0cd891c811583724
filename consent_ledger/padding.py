"""Fillers: entries that say nothing, so that the size of a signed tree tells of questions alone (docs/ledger.md).

Whoever sees signed sizes (hub, witnesses, members that reconcile) knows how many questions there were. What else was
appended between two of them, such as what an officer did about a question, must not show. So before a head is signed
its entries that are about no question are filled up to a multiple of STEP, and by STEP if there were none.
"""

from consent_ledger.append import Draft, append_all, read_head
from consent_ledger.keystore import Key, Owner
from consent_ledger.kinds import EntryKind
from consent_ledger.merkle import TreeHasher
from consent_ledger.record import body_bytes
from consent_ledger.storage import Work

STEP = 8  # an office does less about its cases in an hour; an idle node grows by 70,000 entries (40 MB) a year


def missing(others: int) -> int:
    """How many fillers `others` entries that are about no question need, to be a multiple of STEP and not none."""
    return -others % STEP if others else STEP


def fill(owner: Owner, key: Key, federation: str, now: float) -> Work[TreeHasher]:
    """Append what is missing since the last time, and return the tree, all in one exclusive transaction.

    So no other process's entry comes between the fillers and the size that will be signed. Raises LedgerCorrupt.
    """
    ((others,),) = yield "SELECT unfilled FROM ledger_head WHERE id = 1", ()
    filler = Draft(kind=EntryKind.FILLER, body=body_bytes(EntryKind.FILLER, now, {}), owner=owner, at=now)
    yield from append_all([filler] * missing(others), {owner: key}, federation, now)
    yield "UPDATE ledger_head SET unfilled = 0 WHERE id = 1", ()
    tree, _ = yield from read_head()
    return tree
