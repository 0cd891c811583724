"""What is written beside the tree, with the next transaction that appends: no answer waits for it.

The exact answer of a disclosure names its own entry's hash, so it can be neither in that entry nor on disk before it.
Should the machine fail in the second until it is written, the entry still stands, and the asker has the answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consent_ledger.keystore import Key, Owner
from consent_ledger.kinds import KindClass
from consent_ledger.record import LeafHeader, open_bytes, seal_leaf
from consent_ledger.storage import Work

MAX_WAITING = 4096  # riders; what comes on top is not kept, for nothing may hold an answer up

_SECONDS_PER_HOUR = 3600
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAnswer:
    """What left under entry `seq` about a person: the exact signed answer, and its bundle in raw DEFLATE."""

    seq: int
    person_id: int
    at: float
    answer: str = field(repr=False)
    bundle: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """The answer to this question of `member` was ready too late, `at` (epoch seconds), for them to have had it."""

    member: str
    jti: str
    at: float


Rider = SentAnswer | LateAnswer


def owners(riders: Iterable[Rider]) -> set[Owner]:
    """Whose secrets are needed."""
    return {rider.person_id for rider in riders if isinstance(rider, SentAnswer)}


def write_riders(riders: Iterable[Rider], keys: Mapping[Owner, Key], federation: str) -> Work[None]:
    """Write them all; nothing is kept of a person who has been erased since."""
    sent: list[tuple[Any, ...]] = []
    late: list[tuple[Any, ...]] = []
    for rider in riders:
        if isinstance(rider, LateAnswer):
            late.append((rider.member, rider.jti, int(rider.at) // _SECONDS_PER_HOUR))
        elif rider.person_id in keys:
            key = keys[rider.person_id]
            sent.append((rider.seq, _seal(rider, key.secret, federation), rider.seq, key.id))
    if sent:  # under the entry's own secret or not at all: the person may have been erased, and have a new one
        yield (
            "INSERT INTO kept_answer (seq, sealed) SELECT ?, ?"
            " WHERE EXISTS (SELECT 1 FROM entry WHERE seq = ? AND key_id = ?) ON CONFLICT DO NOTHING",
            sent,
        )
    if late:
        yield "INSERT INTO late_answer (member, jti, noted_hour) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", late


def read_sent(seq: int, secret: bytes) -> Work[tuple[str, bytes] | None]:
    """The answer and bundle (raw DEFLATE) kept with an entry; None without. Raises LedgerCorrupt."""
    rows = yield "SELECT sealed FROM kept_answer WHERE seq = ?", (seq,)
    if not rows:
        return None
    kept = open_bytes(rows[0][0], secret)
    end = _LENGTH_BYTES + int.from_bytes(kept[:_LENGTH_BYTES], "big")
    return kept[_LENGTH_BYTES:end].decode("ascii"), kept[end:]


def _seal(sent: SentAnswer, secret: bytes, federation: str) -> bytes:
    """In the form of a leaf, which it is not: no tree has its hash. Inside: the answer's length, answer, bundle."""
    answer = sent.answer.encode("ascii")
    header = LeafHeader(KindClass.DISCLOSURE, int(sent.at) // _SECONDS_PER_HOUR, federation)
    return seal_leaf(header, len(answer).to_bytes(_LENGTH_BYTES, "big") + answer + sent.bundle, secret)
