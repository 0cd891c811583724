"""A link with which somebody sets their own password, once: whoever made the account never knows it.

The link holds 32 random bytes; only their hash is kept. A new link for an account ends the one before.
"""

import hashlib
import secrets

from gateway.accounts.account import Account
from gateway.accounts.passkeys import forget_passkeys
from gateway.accounts.sessions import end_all
from gateway.accounts.store import account_by_id, set_password
from gateway.database.contract import Statement, Work
from gateway.days import HOUR_S

LINK_BYTES = 32
LINK_LASTS_S = 72 * HOUR_S  # over a weekend
SETUP_PATH = "/set-password/"


def new_link() -> str:
    """The last part of a new link's address."""
    return secrets.token_urlsafe(LINK_BYTES)


def begin_link(account_id: int, secret: str, now: float) -> Work[None]:
    """Let whoever knows `secret` set this account's password, once."""
    yield Statement("DELETE FROM setup_link WHERE account_id = ?", (account_id,))
    yield Statement(
        "INSERT INTO setup_link (hash, account_id, expires_at) VALUES (?, ?, ?)",
        (_hash(secret), account_id, now + LINK_LASTS_S),
    )


def account_of_link(secret: str, now: float) -> Work[Account | None]:
    """Whose password a link sets, while it may be used."""
    rows = yield Statement("SELECT account_id FROM setup_link WHERE hash = ? AND expires_at > ?", (_hash(secret), now))
    return (yield from account_by_id(rows[0][0])) if rows else None


def use_link(secret: str, hashed: str, now: float) -> Work[list[str] | None]:
    """Set the password (argon2id's text), use the link up, and sign its account out everywhere.

    Passkeys go too: one that somebody else has added, or a lost phone's, must not outlive the new beginning. The public
    ids of the sessions that ended; None, and nothing is set, if the link has been used or has run out meanwhile.
    """
    account = yield from account_of_link(secret, now)
    if account is None:
        return None
    yield Statement("DELETE FROM setup_link WHERE account_id = ?", (account.id,))
    yield from set_password(account.id, hashed, now)
    yield from forget_passkeys(account.id)
    return (yield from end_all(account.id))


def sweep(now: float) -> Work[None]:
    """Remove what has run out."""
    yield Statement("DELETE FROM setup_link WHERE expires_at <= ?", (now,))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
