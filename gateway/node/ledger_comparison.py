"""Whether this node's ledger still bears out the checkpoints that it has signed: steps (1) and (3) of checkpoints.py.

Reads of the ledger's own database; each raises LedgerDoubtful, saying what does not fit and whose word that is.
"""

from consent_ledger import heads, proofs
from consent_ledger.append import read_head
from consent_ledger.checkpoint import FIRST_EPOCH, Checkpoint, Head
from consent_ledger.storage import Work
from gateway.errors import LedgerDoubtful
from gateway.wire.federation import HUB


def check_own(log: str) -> Work[None]:
    """(1) The newest checkpoint that this ledger has signed, which it must still bear out. Raises LedgerDoubtful."""
    yield from read_head()
    latest = yield from check_origin(log)
    if latest is not None:
        yield from _bears_out(latest.head, "its own newest checkpoint")


def check_origin(log: str) -> Work[Checkpoint | None]:
    """The newest checkpoint of this ledger, which must be of this log. Raises LedgerDoubtful."""
    latest = yield from heads.newest()
    if latest is not None and latest.checkpoint.origin != log:
        raise LedgerDoubtful("the ledger file is another agency's")
    return None if latest is None else latest.checkpoint


def check_seen(witness: str, seen: Checkpoint) -> Work[None]:
    """(3) What a witness holds is in this ledger, or in an epoch that this one follows. Raises LedgerDoubtful.

    By the newest checkpoint of this moment: another process may have had a newer one cosigned since (1).
    """
    stored = yield from heads.newest()
    latest = None if stored is None else stored.checkpoint
    epoch = epoch_of(latest)
    if seen.head.epoch > epoch:
        raise LedgerDoubtful(f"the ledger is of epoch {epoch}, and {_held(witness, seen.head)}")
    if seen.head.epoch == epoch:
        if latest is not None and latest.after != seen.after:
            raise LedgerDoubtful(f"epoch {epoch} began otherwise, as {_held(witness, seen.head)}")
        yield from _bears_out(seen.head, _held(witness, seen.head))
        return
    after = latest.after if latest is not None else None
    if (
        after is None
        or after.place < seen.head.place
        or (after.place == seen.head.place and after.root != seen.head.root)
    ):
        raise LedgerDoubtful(f"the epoch before this one ended otherwise: {_held(witness, seen.head)}")


def _bears_out(head: Head, what: str) -> Work[None]:
    root = yield from proofs.root_at(head.size)
    if root is None:
        tree, _ = yield from read_head()
        raise LedgerDoubtful(f"the ledger has {tree.size} entries, fewer than {what} ({head.size})")
    if root != head.root:
        raise LedgerDoubtful(f"the first {head.size} entries of the ledger are not those of {what}")


def _held(witness: str, head: Head) -> str:
    return f"what {'the hub' if witness == HUB else witness} holds of epoch {head.epoch}"


def epoch_of(latest: Checkpoint | None) -> int:
    """The epoch of a ledger whose newest checkpoint this is."""
    return FIRST_EPOCH if latest is None else latest.head.epoch
