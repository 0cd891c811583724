"""What must be counted of an erased person's entries: set aside before their secret goes, so that no count changes.

Answers are counted ten minutes after they left (exchange.py). One that could not be opened by then would be missing
from what this node tells the member that asked, and a question that matched nobody never is: the gap would tell that
somebody was known. So before the secret is destroyed, each answer not yet counted leaves a row of what both members
know anyhow: the question's id, who asked, in which hour it ended. It is counted in its entry's place, then deleted.
Answers that were written meanwhile are set aside once more with the secret that was read before it was destroyed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from consent_ledger import keystore, read
from consent_ledger.kinds import ANSWERS
from consent_ledger.record import open_leaf
from consent_ledger.storage import Storage, Value, Work

_SECONDS_PER_HOUR = 3600


class AnswerGiven(NamedTuple):
    """An answer as it is counted: the question, the member that asked, and the hour in which it ended."""

    jti: str
    member: str
    hour: int


class SetAside(NamedTuple):
    """An answer whose entry can no longer be opened, and when it was written (epoch seconds)."""

    answer: AnswerGiven
    at: float


def answer_given(body: Mapping[str, Any]) -> AnswerGiven:
    """What is counted of an entry about a question answered here."""
    return AnswerGiven(body["jti"], body["asker"]["member"], body["expires_at"] // _SECONDS_PER_HOUR)


async def secrets_of(keys: Storage, person_id: int) -> Mapping[bytes, bytes]:
    """This id's secret, by its key id; for set_aside(), before and after it is destroyed."""
    return await keys.read(keystore.secrets_by_id(await keys.read(keystore.key_ids([person_id]))))


async def set_aside(storage: Storage, secrets: Mapping[bytes, bytes]) -> None:
    """Set aside what is not yet counted of the entries under these secrets. Raises LedgerCorrupt."""
    for key_id, secret in secrets.items():
        since = await storage.read(_next_seq())
        while rows := await storage.read(read.chunk_of(key_id, since)):
            since = rows[-1][0] + 1
            opened = [(seq, open_leaf(leaf, secret)) for seq, _, _, leaf, _ in rows]
            found = [(seq, *answer_given(body), body["at"]) for seq, body in opened if body["kind"] in ANSWERS]
            await storage.write(_keep(found))


def read_set_aside(first: int, last: int) -> Work[dict[int, SetAside]]:
    """Those of entries `first` to `last`, by entry."""
    rows = yield (
        "SELECT seq, jti, member, hour, at FROM exchange_erased WHERE seq BETWEEN ? AND ?",
        (first, last),
    )
    return {seq: SetAside(AnswerGiven(jti, member, hour), at) for seq, jti, member, hour, at in rows}


def drop_counted(next_seq: int) -> Work[None]:
    """In the transaction that counts: those of entries before `next_seq` have been counted."""
    yield "DELETE FROM exchange_erased WHERE seq < ?", (next_seq,)


def _next_seq() -> Work[int]:
    ((next_seq,),) = yield "SELECT next_seq FROM exchange_head WHERE id = 1", ()
    return int(next_seq)


def _keep(found: Sequence[tuple[Value, ...]]) -> Work[None]:
    """Another process may have counted some meanwhile."""
    next_seq = yield from _next_seq()
    yield (
        "INSERT INTO exchange_erased (seq, jti, member, hour, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [row for row in found if isinstance(row[0], int) and row[0] >= next_seq],
    )
