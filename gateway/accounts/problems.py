"""Reports that something in the register is wrong: codes alone. Work for web.db."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.database.contract import Row, Statement, Work
from gateway.days import DAY_S

MAX_OPEN: Final = 20  # of one account
MAX_LISTED: Final = 200
KEPT_S: Final = 365 * DAY_S  # after it was resolved

_COLUMNS = "r.public_id, r.account_id, a.name, r.code, r.person_id, r.worker, r.at, r.outcome, r.resolved_at"
_JOINED = "problem_report r JOIN account a ON a.id = r.account_id"


class Problem(StrEnum):
    """What is wrong: the first two with a colleague's card, the others with a client's record."""

    WRONG_NUMBER = "wrong-number"
    HAS_LEFT = "has-left"
    NOT_MY_CLIENT = "not-my-client"
    WRONG_PERSON = "wrong-person"
    DUPLICATE = "duplicate"


ABOUT_COLLEAGUE: Final = frozenset({Problem.WRONG_NUMBER, Problem.HAS_LEFT})


class Outcome(StrEnum):
    """What became of a report."""

    CORRECTED = "corrected"
    PASSED_ON = "passed-on"
    NOTHING_WRONG = "nothing-wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. `person_id` or `worker` (SOURCE:KEY) says what it is about, never both."""

    public_id: str
    account_id: int
    by: str
    code: Problem
    person_id: int | None
    worker: str
    at: float
    outcome: Outcome | None
    resolved_at: float | None


def report(account_id: int, code: Problem, *, person_id: int | None, worker: str, now: float) -> Work[bool]:
    """Keep it, once while it is open; False if this account has too many that are open."""
    known = yield Statement(
        "SELECT 1 FROM problem_report WHERE account_id = ? AND code = ? AND person_id IS ? AND worker = ? "
        "AND outcome IS NULL",
        (account_id, code.value, person_id, worker),
    )
    if known:
        return True
    ((number,),) = yield Statement(
        "SELECT count(*) FROM problem_report WHERE account_id = ? AND outcome IS NULL", (account_id,)
    )
    if number >= MAX_OPEN:
        return False
    yield Statement(
        "INSERT INTO problem_report (public_id, account_id, code, person_id, worker, at) VALUES (?, ?, ?, ?, ?, ?)",
        (secrets.token_hex(16), account_id, code.value, person_id, worker, now),
    )
    return True


def reports() -> Work[list[Report]]:
    """The newest, those that are open first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM {_JOINED} ORDER BY r.outcome IS NOT NULL, r.id DESC LIMIT ?",  # noqa: S608 - constants
        (MAX_LISTED,),
    )
    return [_report(row) for row in rows]


def resolve(public_id: str, outcome: Outcome, *, by: int, now: float) -> Work[Report | None]:
    """Say what became of it; None if there is no such report that is open."""
    rows = yield Statement(
        "UPDATE problem_report SET outcome = ?, resolved_by = ?, resolved_at = ? "
        "WHERE public_id = ? AND outcome IS NULL RETURNING id",
        (outcome.value, by, now, public_id),
    )
    if not rows:
        return None
    found = yield Statement(f"SELECT {_COLUMNS} FROM {_JOINED} WHERE r.id = ?", rows[0])  # noqa: S608 - constants
    return _report(found[0])


def sweep(now: float) -> Work[None]:
    """Forget what was resolved long ago."""
    yield Statement("DELETE FROM problem_report WHERE resolved_at < ?", (now - KEPT_S,))


def _report(row: Row) -> Report:
    public_id, account_id, by, code, person_id, worker, at, outcome, resolved_at = row
    return Report(
        public_id=public_id,
        account_id=account_id,
        by=by,
        code=Problem(code),
        person_id=person_id,
        worker=worker,
        at=at,
        outcome=None if outcome is None else Outcome(outcome),
        resolved_at=resolved_at,
    )
