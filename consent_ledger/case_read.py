"""Governance cases as their entries tell them, for a reader that sees the ledger's and the key store's tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent_ledger.case import CaseId, CaseRow
from consent_ledger.case_table import load, load_ended, load_open
from consent_ledger.record import open_leaf
from consent_ledger.storage import Work

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: the bodies of its entries, None for a step not taken, or of somebody erased since.

    `erased`: the entry that opened it can no longer be read.
    """

    row: CaseRow
    opened: Body | None
    acknowledged: Body | None = None
    ended: Body | None = None

    @property
    def id(self) -> CaseId:
        """As people name it."""
        return self.row.id

    @property
    def erased(self) -> bool:
        """Nobody can tell any more what it was about."""
        return self.opened is None


def read_case(case: CaseId) -> Work[Case | None]:
    """One case; raises LedgerCorrupt."""
    row = yield from load(case)
    return None if row is None else (yield from _told(row))


def read_open(federation: str, *, limit: int, oldest: bool = False) -> Work[list[Case]]:
    """Open cases, newest (or oldest) first; raises LedgerCorrupt."""
    found: list[Case] = []
    for row in (yield from load_open(federation, limit, oldest=oldest)):
        found.append((yield from _told(row)))  # noqa: PERF401 - a comprehension cannot yield
    return found


def read_ended(federation: str, *, before: int, limit: int) -> Work[list[Case]]:
    """Cases that have been ended, opened before entry `before`, the last opened first; raises LedgerCorrupt."""
    found: list[Case] = []
    for row in (yield from load_ended(federation, before, limit)):
        found.append((yield from _told(row)))  # noqa: PERF401 - as above
    return found


def _told(row: CaseRow) -> Work[Case]:
    return Case(
        row=row,
        opened=(yield from _body(row.id.opened_seq)),
        acknowledged=(yield from _body(row.acknowledged_seq)),
        ended=(yield from _body(row.ended_seq)),
    )


def _body(seq: int | None) -> Work[Body | None]:
    if seq is None:
        return None
    rows = yield (
        "SELECT entry.leaf, person_key.secret FROM entry JOIN person_key ON person_key.key_id = entry.key_id"
        " WHERE entry.seq = ? UNION ALL"
        " SELECT entry.leaf, month_key.secret FROM entry JOIN month_key ON month_key.key_id = entry.key_id"
        " WHERE entry.seq = ?",
        (seq, seq),
    )
    return open_leaf(*rows[0]) if rows else None
