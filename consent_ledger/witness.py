"""What a witness does: find a log's new head consistent with the last that it saw of that log, and remember it.

One honest witness is enough to make a rewritten ledger known, because it never cosigns two histories:

(1) a head of the same epoch extends the one seen (RFC 9162 consistency), or is the same
(2) a head of an earlier epoch than one seen is refused
(3) the first head seen of a later epoch names, as what it follows, a head no earlier than the one seen
(4) what was seen is on disk before the cosignature leaves

A log may open epochs as it likes, and so forget; but never unseen: the last head of each epoch stays here, and every
note of a later epoch names what was left behind.
"""

from collections.abc import Sequence

from consent_ledger.checkpoint import Checkpoint, Head, cosign, own_part, parse, verify_by_any
from consent_ledger.merkle import ProofInvalid, verify_consistency
from consent_ledger.note import NoteKey, Signer, read
from consent_ledger.storage import Storage, Work


class WitnessRefused(Exception):
    """A head that does not follow what was seen; the message says which rule, in words for the log's keeper."""


def check(seen: Checkpoint | None, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Rules (1)-(3); `proof` leads from the size seen to the new one. Pure; raises WitnessRefused."""
    if seen is None:
        return
    if new.head.epoch < seen.head.epoch:  # (2)
        raise WitnessRefused("an earlier epoch than one seen before")
    if new.head.epoch > seen.head.epoch:  # (3)
        _check_after(seen.head, new.after)
    elif new.after != seen.after:
        raise WitnessRefused("the epoch began otherwise when it was seen before")
    else:  # (1)
        _check_growth(seen.head, new.head, proof)


def _check_after(seen: Head, after: Head | None) -> None:
    if after is None or after.place < seen.place:
        raise WitnessRefused("a new epoch that does not follow the last head seen")
    if after.place == seen.place and after.root != seen.root:
        raise WitnessRefused("a new epoch that follows another head than the one seen")


def _check_growth(seen: Head, new: Head, proof: Sequence[bytes]) -> None:
    if new.size < seen.size:
        raise WitnessRefused("fewer entries than were seen before")
    if new.size == seen.size:
        if new.root != seen.root:
            raise WitnessRefused("as many entries as were seen before, and not the same")
    elif seen.size > 0:  # every tree extends the empty one
        try:
            verify_consistency(seen.size, new.size, seen.root, new.root, proof)
        except ProofInvalid:
            raise WitnessRefused("entries that were seen before are not there unchanged") from None


async def cosign_next(
    storage: Storage,
    *,
    member: str,
    note: str,
    proof: Sequence[bytes],
    logs: Sequence[NoteKey],
    own: NoteKey,
    signer: Signer,
    now: float,
) -> str:
    """Cosign a member's next head: the signature line. Raises NoteInvalid, WitnessRefused, and what storage raises.

    `logs`: the keys with which the log may sign now; whichever did makes no difference to the rules.
    Submitting the same head again gives a fresh cosignature, so a request that comes twice does no harm.
    """
    checkpoint, log = verify_by_any(note, logs)
    await storage.write(_take(member, checkpoint, own_part(note, log), proof, now))  # (4)
    return cosign(note, own, signer, now)


def newest_seen(member: str) -> Work[str | None]:
    """The newest note that was cosigned of a member's log, with the log's own signature alone."""
    rows = yield "SELECT note FROM witnessed WHERE member = ? ORDER BY epoch DESC LIMIT 1", (member,)
    return rows[0][0] if rows else None


def _take(member: str, new: Checkpoint, note: str, proof: Sequence[bytes], now: float) -> Work[None]:
    """Rules (1)-(3) against what is stored, in the transaction that stores the new head; of each epoch the newest."""
    newest = yield from newest_seen(member)
    check(None if newest is None else parse(read(newest).text), new, proof)
    yield (
        "INSERT INTO witnessed (member, epoch, size, note, seen_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (member, epoch) DO UPDATE SET size = excluded.size, note = excluded.note,"
        " seen_at = excluded.seen_at",
        (member, new.head.epoch, new.head.size, note, int(now)),
    )
