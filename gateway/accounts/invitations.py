"""Asking a colleague to join one's work with a client: work for web.db."""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.database.contract import Row, Statement, Work
from gateway.days import DAY_S

LASTS_S: Final = 14 * DAY_S
KEPT_S: Final = 90 * DAY_S
MAX_OPEN: Final = 20  # of one account

_COLUMNS = (
    "i.public_id, i.person_id, i.from_account, i.to_account, i.role_code, i.state, i.reason_code, i.created_at, "
    "f.name, f.job_role, t.name, t.job_role"
)
_JOINED = "invitation i JOIN account f ON f.id = i.from_account JOIN account t ON t.id = i.to_account"


class State(StrEnum):
    """What became of an invitation."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class RoleCode(StrEnum):
    """As what somebody is invited: in their own job role, or one of these."""

    OWN = "own"
    KEY_WORKER = "key-worker"
    SUPPORT = "support"
    SPECIALIST = "specialist"
    COVER = "cover"
    SUPERVISOR = "supervisor"


class Decline(StrEnum):
    """Why somebody does not join."""

    NO_TIME = "no-time"
    NOT_MINE = "not-mine"
    TOO_CLOSE = "too-close"
    TALK_FIRST = "talk-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One invitation with the names and job roles of both."""

    public_id: str
    person_id: int
    from_account: int
    to_account: int
    role_code: RoleCode
    state: State
    reason: Decline | None
    created_at: float
    from_name: str
    from_role: str
    to_name: str
    to_role: str


def send(person_id: int, *, inviter: int, invited: int, role: RoleCode, now: float) -> Work[str | None]:
    """The new invitation's public id; None if this account has too many that are open."""
    ((number,),) = yield Statement(
        "SELECT count(*) FROM invitation WHERE from_account = ? AND state = 'sent' AND created_at > ?",
        (inviter, now - LASTS_S),
    )
    if number >= MAX_OPEN:
        return None
    public_id = secrets.token_hex(16)
    yield Statement(
        "INSERT INTO invitation (public_id, person_id, from_account, to_account, role_code, state, created_at) "
        "VALUES (?, ?, ?, ?, ?, 'sent', ?)",
        (public_id, person_id, inviter, invited, role.value, now),
    )
    return public_id


def received(account_id: int, now: float) -> Work[list[Invitation]]:
    """Those that wait for this account's answer, the oldest first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE i.to_account = ? AND i.state = 'sent' AND i.created_at > ? "  # noqa: S608 - constants
        "AND f.disabled_at IS NULL ORDER BY i.id",
        (account_id, now - LASTS_S),
    )
    return [_invitation(row) for row in rows]


def sent_about(account_id: int, person_id: int, now: float) -> Work[list[Invitation]]:
    """Those that this account sent about one client in the last 90 days, the newest first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE i.from_account = ? AND i.person_id = ? AND i.created_at > ? "  # noqa: S608 - constants
        "ORDER BY i.id DESC LIMIT 50",
        (account_id, person_id, now - KEPT_S),
    )
    return [_invitation(row) for row in rows]


def one(public_id: str) -> Work[Invitation | None]:
    """An invitation, whatever became of it."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE i.public_id = ?",  # noqa: S608 - constants
        (public_id,),
    )
    return _invitation(rows[0]) if rows else None


def end(public_id: str, state: State, now: float, *, reason: Decline | None = None) -> Work[bool]:
    """Say what became of one that is open; False if it is not any more."""
    rows = yield Statement(
        "UPDATE invitation SET state = ?, reason_code = ?, answered_at = ? "
        "WHERE public_id = ? AND state = 'sent' AND created_at > ? RETURNING id",
        (state.value, None if reason is None else reason.value, now, public_id, now - LASTS_S),
    )
    return bool(rows)


def expire(now: float) -> Work[list[Invitation]]:
    """End those that nobody answered in time, and return them; forget what is old."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE i.state = 'sent' AND i.created_at <= ? LIMIT 500",  # noqa: S608 - constants
        (now - LASTS_S,),
    )
    ended = [_invitation(row) for row in rows]
    yield Statement(
        "UPDATE invitation SET state = 'expired', answered_at = ? WHERE public_id = ?",
        [(now, each.public_id) for each in ended],
    )
    yield Statement("DELETE FROM invitation WHERE created_at < ?", (now - KEPT_S,))
    return ended


def _invitation(row: Row) -> Invitation:
    public_id, person_id, from_account, to_account, role, state, reason, created_at, *names = row
    from_name, from_role, to_name, to_role = names
    return Invitation(
        public_id=public_id,
        person_id=person_id,
        from_account=from_account,
        to_account=to_account,
        role_code=RoleCode(role),
        state=State(state),
        reason=None if reason is None else Decline(reason),
        created_at=created_at,
        from_name=from_name,
        from_role=from_role,
        to_name=to_name,
        to_role=to_role,
    )
