"""How many questions and answers went to and fro, by hour and member: read from the ledger's own entries.

A projection that is filled when somebody wants counts, and not when answers are written, so that no answer waits for
it. Each entry is read once. A question is counted in the hour in which it ends (its own `exp`), which both sides see
signed, so both count it in the same hour. What any question came to is not counted: only that it was answered.

(1) find how far entries are settled: of those behind, answers may still be on their way. An entry that stands before a
    settled one is settled, whatever time it gives itself, so one by a clock that was ahead holds up none behind it
(2) read the next of them and open them; of an answer about somebody who was erased meanwhile, take what was set aside
    (exchange_erased.py)
(3) add them up in one transaction, unless another process has come further meanwhile
"""

import asyncio
import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from consent_ledger import exchange_erased, keystore
from consent_ledger.exchange_erased import AnswerGiven, SetAside, answer_given
from consent_ledger.kinds import ANSWERS, EntryKind
from consent_ledger.record import open_leaf, read_leaf
from consent_ledger.storage import Row, Storage, Value, Work

SECONDS_PER_HOUR = 3600
SETTLED_S = 600  # from a question's end: its answers have come by then, or never will (docs/wire.md: 60 s)
CHUNK_ROWS = 250  # entries of one transaction: some 3 ms of work, which answers may have to wait for
_NO_SEQ = 2**63 - 1  # of SQL's integers


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """Questions between this node and one member that ended in one hour.

    `asked`, `received`, `unfinished`: ours; `received` are answers that held, `unfinished` questions of which nothing
    is on record but that they were asked. `answered`: theirs, ready in time.
    """

    asked: int = 0
    received: int = 0
    unfinished: int = 0
    answered: int = 0


def settled_until(now: float) -> int:
    """The first hour that may still be incomplete."""
    return int(now - 2 * SETTLED_S) // SECONDS_PER_HOUR


async def settle(storage: Storage, keys: Storage, now: float, *, pause_s: float = 0.0) -> None:
    """Count all that is settled by `now` and has not been counted; `pause_s` is slept after each transaction."""
    end = await _settled_end(storage, keys, now - SETTLED_S)  # (1)
    while rows := await storage.read(_next_rows(end)):  # (2)
        secrets, erased = await _secrets_of(rows, storage, keys)
        await storage.write(_add(rows[0][0], _tally(rows, secrets, erased)))  # (3)
        await asyncio.sleep(pause_s)


def counts(member: str, since: int, until: int) -> Work[dict[int, HourCount]]:
    """What has been counted with one member in the hours from `since` until before `until`; hours without are left out.

    At most one row for each hour is read.
    """
    rows = yield (
        "SELECT hour, asked, received, answered,"
        " (SELECT count(*) FROM exchange_open o WHERE o.member = h.member AND o.hour = h.hour)"
        " FROM exchange_hour h WHERE hour >= ? AND hour < ? AND member = ? ORDER BY hour",
        (since, until, member),
    )
    return {
        hour: HourCount(asked=asked, received=received, answered=answered, unfinished=unfinished)
        for hour, asked, received, answered, unfinished in rows
    }


def kept_from() -> Work[int]:
    """The first hour of which counts are still kept (retention_beside.py)."""
    ((hour,),) = yield "SELECT kept_from FROM exchange_head WHERE id = 1", ()
    return int(hour)


def counterparts(since: int, until: int) -> Work[list[str]]:
    """Members with whom anything has been counted in those hours."""
    rows = yield (
        "SELECT DISTINCT member FROM exchange_hour WHERE hour >= ? AND hour < ? ORDER BY member",
        (since, until),
    )
    return [row[0] for row in rows]


@dataclass(slots=True)
class _Tally:
    next_seq: int
    asked: list[tuple[str, str, int]] = field(default_factory=list)  # question, member, hour
    received: list[tuple[str, frozenset[str]]] = field(default_factory=list)  # question, members whose answers held
    answered: list[AnswerGiven] = field(default_factory=list)


async def _settled_end(storage: Storage, keys: Storage, until: float) -> int:
    """The seq after the newest entry that was written by `until`, found from the end of the ledger backwards."""
    before = _NO_SEQ
    while rows := await storage.read(_rows_before(before)):
        rows_by_then = [row for row in rows if read_leaf(row[2]).header.hour <= until // SECONDS_PER_HOUR]
        secrets, erased = await _secrets_of(rows, storage, keys)
        for seq, key_id, leaf in rows_by_then:
            if (secret := secrets.get(key_id)) is not None:
                at = open_leaf(leaf, secret)["at"]
            elif seq in erased:
                at = erased[seq].at
            else:
                at = (read_leaf(leaf).header.hour + 1) * SECONDS_PER_HOUR  # at the latest
            if at <= until:
                return int(seq) + 1
        before = rows[-1][0]
    return 0


async def _secrets_of(
    rows: list[Row], storage: Storage, keys: Storage
) -> tuple[Mapping[bytes, bytes], Mapping[int, SetAside]]:
    """What opens these entries, and what was set aside of others; whoever destroys a secret has set aside before."""
    secrets = await keys.read(keystore.secrets_by_id({row[1] for row in rows}))
    seqs = [row[0] for row in rows]
    return secrets, await storage.read(exchange_erased.read_set_aside(min(seqs), max(seqs)))


def _rows_before(before: int) -> Work[list[Row]]:
    """Entries that are not yet counted, newest first."""
    ((next_seq,),) = yield "SELECT next_seq FROM exchange_head WHERE id = 1", ()
    rows = yield (
        "SELECT seq, key_id, leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (next_seq, before, CHUNK_ROWS),
    )
    return rows


def _next_rows(end: int) -> Work[list[Row]]:
    ((next_seq,),) = yield "SELECT next_seq FROM exchange_head WHERE id = 1", ()
    rows = yield (
        "SELECT seq, key_id, leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
        (next_seq, end, CHUNK_ROWS),
    )
    return rows


def _tally(rows: list[Row], secrets: Mapping[bytes, bytes], erased: Mapping[int, SetAside]) -> _Tally:
    tally = _Tally(next_seq=rows[-1][0] + 1)
    for seq, key_id, leaf in rows:
        if (secret := secrets.get(key_id)) is not None:
            _take(tally, open_leaf(leaf, secret))
        elif (aside := erased.get(seq)) is not None:
            tally.answered.append(aside.answer)
    return tally


def _take(tally: _Tally, body: Mapping[str, Any]) -> None:
    match body["kind"]:
        case EntryKind.ASKED:
            hour = _end_of(body["query"]) // SECONDS_PER_HOUR
            tally.asked += [(body["jti"], member, hour) for member in body["recipients"]]
        case EntryKind.RECEIVED:
            tally.received.append((body["jti"], frozenset(body["answers"])))
        case kind if kind in ANSWERS:
            tally.answered.append(answer_given(body))


def _end_of(question: str) -> int:
    """`exp` of our own signed question."""
    payload = question.split(".")[1]
    end: int = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
    return end


def _add(expected: int, tally: _Tally) -> Work[None]:
    ((next_seq,),) = yield "SELECT next_seq FROM exchange_head WHERE id = 1", ()
    if next_seq != expected:
        return
    opened: list[tuple[Value, ...]] = list(tally.asked)
    asked: Counter[tuple[int, str]] = Counter((hour, member) for _, member, hour in tally.asked)
    received: Counter[tuple[int, str]] = Counter()
    answered: Counter[tuple[int, str]] = Counter()
    yield "INSERT INTO exchange_open (jti, member, hour) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", opened
    for jti, members in tally.received:
        rows = yield "DELETE FROM exchange_open WHERE jti = ? RETURNING hour, member", (jti,)
        received.update((hour, member) for hour, member in rows if member in members)
    for jti, member, hour in tally.answered:
        rows = yield "DELETE FROM late_answer WHERE member = ? AND jti = ? RETURNING 1", (member, jti)
        if not rows:
            answered[hour, member] += 1
    hours: list[tuple[Value, ...]] = [
        (*at, asked[at], received[at], answered[at]) for at in {*asked, *received, *answered}
    ]
    yield (
        "INSERT INTO exchange_hour (hour, member, asked, received, answered) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (hour, member) DO UPDATE SET asked = asked + excluded.asked,"
        " received = received + excluded.received, answered = answered + excluded.answered",
        hours,
    )
    yield from exchange_erased.drop_counted(tally.next_seq)
    yield "UPDATE exchange_head SET next_seq = ? WHERE id = 1", (tally.next_seq,)
