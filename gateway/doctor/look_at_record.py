"""The ledger as its file has it: how far it is, what was signed of it, and each witness's last word."""

from dataclasses import dataclass
from pathlib import Path

from consent_ledger.errors import LedgerError
from consent_ledger.heads import newest as newest_head
from consent_ledger.heads import signed_at, words
from consent_ledger.read import clock_high, tree_head
from gateway.database.contract import Work
from gateway.doctor.looking import read_only
from gateway.doctor.record import RecordFacts
from gateway.errors import StorageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`high`: the newest time in it, epoch seconds."""

    facts: RecordFacts
    high: float


def look_at_record(file: Path, now: float) -> Record:
    """What it says of itself; a database that cannot be read, or does not hold together, is a problem."""
    try:
        return read_only(file, _read_record(now))
    except (LedgerError, StorageError) as error:
        facts = RecordFacts(now=now, size=0, signed_size=None, signed_at=None, words=(), problem=str(error))
        return Record(facts=facts, high=0.0)


def _read_record(now: float) -> Work[Record]:
    tree = yield from tree_head()
    high = yield from clock_high()
    stored = yield from newest_head()
    at = None if stored is None else (yield from signed_at(stored.checkpoint.head))
    said = yield from words()
    size = None if stored is None else stored.checkpoint.head.size
    facts = RecordFacts(now=now, size=tree.size, signed_size=size, signed_at=at, words=said)
    return Record(facts=facts, high=high)
