"""Governance cases for the people of this agency: what is open, what one is about, and what an officer does with it.

Everything an officer does is on record before it acts; who it is about is shown by this agency's own number alone.
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from consent_ledger.case import CaseId, CaseKind, Step
from consent_ledger.case_read import Case, read_case, read_ended, read_open
from consent_ledger.case_table import count_open
from consent_ledger.errors import CaseRefused, LedgerError
from consent_ledger.ledger import Ledger
from gateway.database.contract import Statement, Work
from gateway.days import HOUR_S
from gateway.errors import InputError
from gateway.node.corrections import Officer, names_of
from gateway.node.storage_fault import storage_fault
from gateway.wire import base64url
from gateway.wire.query import Subject
from gateway.wire.query_claims import read_query
from mappings.vocabulary import Finding

MAX_LISTED = 200  # unless all are wanted: more than a screen, and than an office should have open

_ALL = 2**31 - 1
_DAY_HOURS = 24


class Ruling(StrEnum):
    """How an officer decides: the first two about a review, the others about a call-back."""

    PERMIT = "permit"
    REFUSE = "refuse"
    CALLED = "called"
    NOT_CALLED = "not-called"


RULINGS = {
    CaseKind.REVIEW: (Ruling.PERMIT, Ruling.REFUSE),
    CaseKind.CALL_BACK: (Ruling.CALLED, Ruling.NOT_CALLED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """A case, whom it is about as SOURCE:KEY, and when it has to be ended (epoch seconds)."""

    case: Case
    clients: tuple[str, ...]
    due_at: float

    @property
    def opened_at(self) -> float:
        """When, as exactly as the ledger still tells."""
        if self.case.opened is None:
            return float(self.case.row.opened_hour * HOUR_S)
        at: float = self.case.opened["at"]
        return at

    def overdue(self, now: float) -> bool:
        """Whether it is open still, and should not be; by the whole hour, as reminders are."""
        return self.case.row.ended_seq is None and now >= self.due_at


def due_hour(now: float, days: int) -> int:
    """Cases opened in this hour (since 1970) or before are overdue at `now`."""
    return int(now) // HOUR_S - days * _DAY_HOURS


def open_cases(federation: str, *, days: int, limit: int = MAX_LISTED, oldest: bool = False) -> Work[list[CaseShown]]:
    """Up to `limit` open cases, newest (or oldest) first; for a reader that sees all three databases."""
    found: list[CaseShown] = []
    for case in (yield from read_open(federation, limit=limit, oldest=oldest)):
        found.append((yield from _shown(case, days)))  # noqa: PERF401 - a comprehension cannot yield
    return found


def ended_cases(federation: str, *, before: int, days: int, limit: int) -> Work[list[CaseShown]]:
    """Up to `limit` cases that have been ended and were opened before entry `before`, the last opened first."""
    found: list[CaseShown] = []
    for case in (yield from read_ended(federation, before=before, limit=limit)):
        found.append((yield from _shown(case, days)))  # noqa: PERF401 - a comprehension cannot yield
    return found


def find_case(case: CaseId, *, days: int) -> Work[CaseShown | None]:
    """One case, open or not; None if there is none."""
    found = yield from read_case(case)
    return None if found is None else (yield from _shown(found, days))


def counted(federation: str, *, days: int, now: float) -> Work[tuple[int, int]]:
    """How many cases are open, and how many of them overdue."""
    return (yield from count_open(federation, due_from=due_hour(now, days)))


def asked_about(token: str) -> Subject:
    """Whom a question of this node's own ledger was about; raises MalformedMessage."""
    claims = orjson.loads(base64url.decode(token.split(".")[1].encode()))
    return read_query(claims).subject


def _shown(case: Case, days: int) -> Work[CaseShown]:
    clients: tuple[str, ...] = ()
    if case.opened is not None and "person_id" in case.opened:
        rows = yield Statement(
            "SELECT p.id FROM person p JOIN person known ON known.same_person = p.same_person WHERE known.id = ?"
            " ORDER BY p.id",
            (case.opened["person_id"],),
        )
        names = yield from names_of([row_id for (row_id,) in rows])
        clients = tuple(names[row_id] for (row_id,) in rows)
    due_at = float((case.row.opened_hour + days * _DAY_HOURS) * HOUR_S)
    return CaseShown(case=case, clients=clients, due_at=due_at)


def open_about(person_ids: Collection[int], federation: str) -> Work[list[CaseId]]:
    """Cases that are open about one person, who has these ids."""
    found = yield from read_open(federation, limit=_ALL)
    return [case.row.id for case in found if case.opened is not None and case.opened.get("person_id") in person_ids]


async def acknowledge(case: CaseId, *, by: str, ledger: Ledger) -> int:
    """Somebody has seen it; the entry's seq. Raises InputError, StorageError."""
    return await _take(case, Step.ACKNOWLEDGED, {"by": by}, ledger)


async def rule(case: CaseId, ruling: Ruling, *, officer: Officer, ledger: Ledger) -> int:
    """Decide a review or a call-back, which ends it; the entry's seq. Raises InputError, StorageError."""
    allowed = RULINGS.get(case.kind, ())
    if ruling not in allowed:
        way = " or ".join(allowed)
        raise InputError(f"{case} is decided with {way}" if way else f"{case} is closed with a finding, not decided")
    said = {"decision": ruling.value, "by": officer.by, "reason": officer.reason}
    return await _take(case, Step.DECIDED, said, ledger)


async def close(shown: CaseShown, finding: Finding, *, officer: Officer, ledger: Ledger) -> int:
    """Close break-glass with what was found; the entry's seq. Raises InputError, StorageError.

    Whoever broke the glass is no judge of it.
    """
    if is_own(shown, officer.by):
        raise InputError("whoever broke the glass cannot close its case: somebody else has to look into it")
    said = {"finding": finding.value, "by": officer.by, "words": officer.reason}
    return await _take(shown.case.id, Step.CLOSED, said, ledger)


def is_own(shown: CaseShown, *officer: str) -> bool:
    """Whether any of these (a name, an account's public id) is whoever broke the glass from this agency."""
    opened = shown.case.opened
    if shown.case.id.kind is not CaseKind.OUR_BREAK_GLASS or opened is None:
        return False
    asker: Mapping[str, str] = opened["asker"]
    theirs = {_same_words(asker["name"]), _same_words(asker["practitioner"])}
    return any(_same_words(each) in theirs for each in officer)


def _same_words(name: str) -> str:
    """A name, however it was spaced, capitalised or encoded."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


async def _take(case: CaseId, step: Step, said: Mapping[str, Any], ledger: Ledger) -> int:
    try:
        return (await ledger.log_case(case, step, said)).seq
    except CaseRefused as error:
        raise InputError(str(error)) from error
    except LedgerError as error:
        raise storage_fault(error) from error
