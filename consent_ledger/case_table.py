"""The rows of governance cases: opened and moved on inside the transaction that appends the entry (append.py)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from consent_ledger.case import CALL_BACK_HOURS, REMINDED_EVERY_HOURS, CaseId, CaseKind, CaseRow, Mark, Step, caller_of
from consent_ledger.errors import CaseRefused
from consent_ledger.keystore import Key
from consent_ledger.storage import Row, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The cases that an entry opens, and its body, which says who asks."""

    kinds: tuple[CaseKind, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseStep:
    """What an entry does to a case."""

    case: CaseId
    step: Step


def open_cases(opening: Opening, *, key: Key, federation: str, seq: int, hour: int) -> Work[None]:
    """The rows of what entry `seq` opens; a call that was asked for within seven days is asked for once."""
    for kind in opening.kinds:
        caller = None
        if kind is CaseKind.CALL_BACK:
            caller = caller_of(opening.body, key.secret)
            asked = yield (
                "SELECT 1 FROM governance_case WHERE caller = ? AND opened_hour > ? LIMIT 1",
                (caller, hour - CALL_BACK_HOURS),
            )
            if asked:
                continue
        row = CaseRow(
            id=CaseId(seq, kind),
            federation=federation,
            key_id=key.id,
            opened_hour=hour,
            applied_seq=seq,
            caller=caller,
        )
        yield from put(row)


def refusal(step: CaseStep, *, seq: int) -> Work[CaseRefused | None]:
    """Why a step may not be taken, as the table stands in this transaction; None if it may."""
    row = yield from load(step.case)
    if row is None:
        return CaseRefused("there is no such case")
    try:
        row.after(step.step, seq=seq)
    except CaseRefused as refused:
        return refused
    return None


def take(step: CaseStep, *, seq: int) -> Work[None]:
    """Move the row on; `refusal` has allowed it in this transaction."""
    row = yield from load(step.case)
    if row is not None:
        yield from put(row.after(step.step, seq=seq))


def mark(case: CaseId, done: Mark, *, to: str, hour: int) -> Work[CaseRefused | None]:
    """Note in the row alone that somebody was told or reminded; why not, if that may not be."""
    row = yield from load(case)
    if row is None:
        return CaseRefused("there is no such case")
    try:
        yield from put(row.marked(done, to=to, hour=hour))
    except CaseRefused as refused:
        return refused
    return None


def load(case: CaseId) -> Work[CaseRow | None]:
    """One row."""
    rows = yield (f"{_SELECT} WHERE opened_seq = ? AND kind = ?", (case.opened_seq, case.kind))
    return _row(rows[0]) if rows else None


def load_open(federation: str, limit: int, *, oldest: bool = False) -> Work[list[CaseRow]]:
    """Open cases, newest (or oldest) first."""
    order = "opened_hour, opened_seq, kind" if oldest else "opened_hour DESC, opened_seq DESC, kind"
    rows = yield (
        f"{_SELECT} WHERE federation = ? AND ended_seq IS NULL ORDER BY {order} LIMIT ?",
        (federation, limit),
    )
    return [_row(row) for row in rows]


def load_ended(federation: str, before: int, limit: int) -> Work[list[CaseRow]]:
    """Cases that have been ended, opened before entry `before`, the last opened first."""
    rows = yield (
        f"{_SELECT} WHERE federation = ? AND ended_seq IS NOT NULL AND opened_seq < ?"
        " ORDER BY opened_seq DESC, kind LIMIT ?",
        (federation, before, limit),
    )
    return [_row(row) for row in rows]


def load_waiting(federation: str, *, due_from: int, hour: int, limit: int) -> Work[list[CaseRow]]:
    """Open cases of which nobody was told, or (opened in hour `due_from` or before) reminded today; oldest first."""
    rows = yield (
        f"{_SELECT} WHERE federation = ? AND ended_seq IS NULL AND (told_hour IS NULL OR (opened_hour <= ?"
        " AND (reminded_hour IS NULL OR reminded_hour <= ?))) ORDER BY opened_hour, opened_seq, kind LIMIT ?",
        (federation, due_from, hour - REMINDED_EVERY_HOURS, limit),
    )
    return [_row(row) for row in rows]


def load_all() -> Work[dict[CaseId, CaseRow]]:
    """Every row."""
    rows = [_row(row) for row in (yield _SELECT, ())]
    return {row.id: row for row in rows}


def count_open(federation: str, *, due_from: int) -> Work[tuple[int, int]]:
    """How many cases are open, and how many of them were opened in hour `due_from` or before."""
    rows = yield (
        "SELECT count(*), count(CASE WHEN opened_hour <= ? THEN 1 END) FROM governance_case"
        " WHERE federation = ? AND ended_seq IS NULL",
        (due_from, federation),
    )
    count, overdue = rows[0]
    return count, overdue


def put(row: CaseRow) -> Work[None]:
    """Write one row, in place of an earlier one."""
    yield (
        "INSERT INTO governance_case (opened_seq, kind, federation, key_id, opened_hour, applied_seq, caller, told_to,"
        " told_hour, reminded_hour, acknowledged_seq, ended_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (opened_seq, kind) DO UPDATE SET federation = excluded.federation, key_id = excluded.key_id,"
        " opened_hour = excluded.opened_hour, applied_seq = excluded.applied_seq, caller = excluded.caller,"
        " told_to = excluded.told_to, told_hour = excluded.told_hour, reminded_hour = excluded.reminded_hour,"
        " acknowledged_seq = excluded.acknowledged_seq, ended_seq = excluded.ended_seq",
        (
            row.id.opened_seq,
            row.id.kind,
            row.federation,
            row.key_id,
            row.opened_hour,
            row.applied_seq,
            row.caller,
            row.told_to,
            row.told_hour,
            row.reminded_hour,
            row.acknowledged_seq,
            row.ended_seq,
        ),
    )


def remove(cases: Iterable[CaseId]) -> Work[None]:
    """Rows that no entry bears out."""
    for case in cases:
        yield "DELETE FROM governance_case WHERE opened_seq = ? AND kind = ?", (case.opened_seq, case.kind)


_SELECT = (
    "SELECT opened_seq, kind, federation, key_id, opened_hour, applied_seq, caller, told_to, told_hour,"
    " reminded_hour, acknowledged_seq, ended_seq FROM governance_case"
)


def _row(row: Row) -> CaseRow:
    seq, kind, federation, key_id, opened_hour, applied_seq, caller, told_to, told, reminded, acknowledged, ended = row
    return CaseRow(
        id=CaseId(seq, CaseKind(kind)),
        federation=federation,
        key_id=key_id,
        opened_hour=opened_hour,
        applied_seq=applied_seq,
        caller=caller,
        told_to=told_to,
        told_hour=told,
        reminded_hour=reminded,
        acknowledged_seq=acknowledged,
        ended_seq=ended,
    )
