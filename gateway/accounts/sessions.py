"""Who is signed in: rows of web.db, found by the hash of a token that only the browser holds.

A token is 32 random bytes, made by us at each sign-in, so that one from before never becomes a signed-in one (session
fixation). A session ends when its owner ends it, after `idle_s` without a request, and `absolute_s` after it began
whatever happens; re-authentication gives it a new token and a new `auth_time`, not a longer life.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.database.contract import Row, Statement, Work
from mappings.vocabulary import AuthMethod

TOKEN_BYTES = 32
SEEN_EVERY_S = 60.0  # a request in between is not written down
CODE_WITHIN_S = 300.0  # from the right password to the second factor

_COLUMNS = "token_hash, public_id, account_id, method, awaits_code, device, auth_time, created_at, seen_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """After how many seconds without a request, and after how many at all, somebody is signed out."""

    idle_s: float
    absolute_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser; with `awaits_code` one whose password was right, which may show nothing yet."""

    token_hash: bytes
    public_id: str
    account_id: int
    method: AuthMethod
    awaits_code: bool
    device: str
    auth_time: float
    created_at: float
    seen_at: float


def new_token() -> bytes:
    """What the browser keeps."""
    return secrets.token_bytes(TOKEN_BYTES)


def begin(
    token: bytes,
    account_id: int,
    *,
    method: AuthMethod,
    now: float,
    awaits_code: bool = False,
    device: str = "",
    auth_time: float | None = None,
) -> Work[Session]:
    """Sign somebody in under a new token; `auth_time` is when they proved who they are, if that was not just now."""
    session = Session(
        token_hash=_hash(token),
        public_id=secrets.token_hex(16),
        account_id=account_id,
        method=method,
        awaits_code=awaits_code,
        device=device,
        auth_time=now if auth_time is None else auth_time,
        created_at=now,
        seen_at=now,
    )
    yield from _put(session)
    return session


def prove_again(
    session: Session, token: bytes, *, method: AuthMethod, now: float, auth_time: float | None = None
) -> Work[Session | None]:
    """Go on under a new token, as somebody who has just proved who they are, or did at `auth_time`.

    None, and nothing goes on, if the session has ended since it was read: no proof brings it back.
    """
    if not (yield from end(session)):
        return None
    renewed = Session(
        token_hash=_hash(token),
        public_id=session.public_id,
        account_id=session.account_id,
        method=method,
        awaits_code=False,
        device=session.device,
        auth_time=now if auth_time is None else auth_time,
        created_at=session.created_at,
        seen_at=now,
    )
    yield from _put(renewed)
    return renewed


def session_of(token: bytes, limits: SessionLimits, now: float) -> Work[Session | None]:
    """The session of a token while it lasts."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM session WHERE token_hash = ?",  # noqa: S608 - constant
        (_hash(token),),
    )
    sessions = [each for each in _sessions(rows) if _lasts(each, limits, now)]
    return sessions[0] if sessions else None


def sessions_of(account_id: int, limits: SessionLimits, now: float) -> Work[Sequence[Session]]:
    """All signed-in browsers of an account, the one used last first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM session WHERE account_id = ? AND NOT awaits_code "  # noqa: S608 - constant
        "ORDER BY seen_at DESC, public_id",
        (account_id,),
    )
    return [each for each in _sessions(rows) if _lasts(each, limits, now)]


def seen(session: Session, now: float) -> Work[None]:
    """A request came."""
    yield Statement("UPDATE session SET seen_at = ? WHERE token_hash = ?", (now, session.token_hash))


def holds(session: Session) -> Work[bool]:
    """Whether nobody has ended it since it was read."""
    return bool((yield Statement("SELECT 1 FROM session WHERE token_hash = ?", (session.token_hash,))))


def end(session: Session) -> Work[bool]:
    """Sign out one browser; False if that was done before."""
    rows = yield Statement("DELETE FROM session WHERE token_hash = ? RETURNING public_id", (session.token_hash,))
    return bool(rows)


def end_one(account_id: int, public_id: str) -> Work[bool]:
    """Sign out one browser of this account by its public id; False if there is none."""
    rows = yield Statement(
        "DELETE FROM session WHERE account_id = ? AND public_id = ? RETURNING public_id", (account_id, public_id)
    )
    return bool(rows)


def end_all(account_id: int, *, but: Session | None = None) -> Work[list[str]]:
    """Sign out everywhere, or everywhere else; the public ids of what ended (Site.end_sessions)."""
    kept = b"" if but is None else but.token_hash
    rows = yield Statement(
        "DELETE FROM session WHERE account_id = ? AND token_hash <> ? RETURNING public_id", (account_id, kept)
    )
    return [public_id for (public_id,) in rows]


def sweep(limits: SessionLimits, now: float) -> Work[list[str]]:
    """Remove what has ended by itself; the public ids of what it removed (Site.end_sessions)."""
    rows = yield Statement(
        "DELETE FROM session WHERE seen_at < ? OR created_at < ? RETURNING public_id",
        (now - limits.idle_s, now - limits.absolute_s),
    )
    return [public_id for (public_id,) in rows]


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _lasts(session: Session, limits: SessionLimits, now: float) -> bool:
    if session.awaits_code:
        return now - session.created_at < CODE_WITHIN_S
    return now - session.seen_at < limits.idle_s and now - session.created_at < limits.absolute_s


def _put(session: Session) -> Work[None]:
    yield Statement(
        f"INSERT INTO session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant
        (
            session.token_hash,
            session.public_id,
            session.account_id,
            session.method.value,
            int(session.awaits_code),
            session.device,
            session.auth_time,
            session.created_at,
            session.seen_at,
        ),
    )


def _sessions(rows: list[Row]) -> list[Session]:
    return [
        Session(
            token_hash=token_hash,
            public_id=public_id,
            account_id=account_id,
            method=AuthMethod(method),
            awaits_code=bool(awaits_code),
            device=device,
            auth_time=auth_time,
            created_at=created_at,
            seen_at=seen_at,
        )
        for token_hash, public_id, account_id, method, awaits_code, device, auth_time, created_at, seen_at in rows
    ]
