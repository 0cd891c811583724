"""What people say of the pages, and what became of it: work for web.db."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.database.contract import Row, Statement, Work
from gateway.days import DAY_S

MAX_TEXT: Final = 2_000
MAX_ANSWER: Final = 500
A_DAY: Final = 10  # of one account
MAX_LISTED: Final = 200
KEPT_S: Final = 730 * DAY_S

_COLUMNS = "public_id, account_id, page, text, at, state, answer, shown"


class State(StrEnum):
    """What became of it."""

    RECEIVED = "received"
    PLANNED = "planned"
    DONE = "done"
    NOT_PLANNED = "not-planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody said of a page. `shown`: everybody who is signed in may read it, without its author."""

    public_id: str
    account_id: int | None
    page: str
    text: str
    at: float
    state: State
    answer: str
    shown: bool


def say(account_id: int, page: str, text: str, now: float) -> Work[bool]:
    """Keep it; False if this account has said enough for a day."""
    ((number,),) = yield Statement(
        "SELECT count(*) FROM feedback WHERE account_id = ? AND at > ?", (account_id, now - DAY_S)
    )
    if number >= A_DAY:
        return False
    yield Statement(
        "INSERT INTO feedback (public_id, account_id, page, text, at) VALUES (?, ?, ?, ?, ?)",
        (secrets.token_hex(16), account_id, page, text, now),
    )
    return True


def said_by(account_id: int) -> Work[list[Feedback]]:
    """What an account said, the newest first."""
    return (yield from _listed("account_id = ?", account_id))


def shown_to_all() -> Work[list[Feedback]]:
    """What everybody may read, with what became of it."""
    return (yield from _listed("shown AND state <> ?", State.RECEIVED.value))


def everything() -> Work[list[Feedback]]:
    """The newest of all."""
    return (yield from _listed("? = 1", 1))


def one(public_id: str) -> Work[Feedback | None]:
    """Feedback, however old."""
    found = yield from _listed("public_id = ?", public_id)
    return found[0] if found else None


def answer(public_id: str, state: State, text: str, *, shown: bool, now: float) -> Work[Feedback | None]:
    """Say what became of it; None if there is no such feedback."""
    rows = yield Statement(
        f"UPDATE feedback SET state = ?, answer = ?, shown = ?, answered_at = ? WHERE public_id = ? "  # noqa: S608 - constant
        f"RETURNING {_COLUMNS}",
        (state.value, text, int(shown), now, public_id),
    )
    return _feedback(rows[0]) if rows else None


def sweep(now: float) -> Work[None]:
    """Forget what is old."""
    yield Statement("DELETE FROM feedback WHERE at < ?", (now - KEPT_S,))


def _listed(condition: str, value: str | int) -> Work[list[Feedback]]:
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM feedback WHERE {condition} ORDER BY id DESC LIMIT ?",  # noqa: S608 - constants
        (value, MAX_LISTED),
    )
    return [_feedback(row) for row in rows]


def _feedback(row: Row) -> Feedback:
    public_id, account_id, page, text, at, state, said, shown = row
    return Feedback(
        public_id=public_id,
        account_id=account_id,
        page=page,
        text=text,
        at=at,
        state=State(state),
        answer=said,
        shown=bool(shown),
    )
