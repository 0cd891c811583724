"""Passkeys in web.db: which public keys are whose."""

from dataclasses import dataclass

from gateway.accounts.account import Account
from gateway.accounts.store import account_by_id
from gateway.database.contract import Row, Statement, Work

MAX_PASSKEYS = 10  # of one account
MAX_PASSKEY_NAME = 50  # characters

_COLUMNS = "credential_id, account_id, public_key, sign_count, name, created_at, last_used_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """One row of `passkey`; `public_key` is a COSE key, `sign_count` the device's own count of uses."""

    credential_id: bytes
    account_id: int
    public_key: bytes
    sign_count: int
    name: str
    created_at: float
    last_used_at: float | None = None


def passkeys_of(account_id: int) -> Work[list[Passkey]]:
    """All passkeys of an account, the newest first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM passkey WHERE account_id = ? "  # noqa: S608 - constant
        "ORDER BY created_at DESC, credential_id",
        (account_id,),
    )
    return [_passkey(row) for row in rows]


def passkey_of_credential(credential_id: bytes) -> Work[tuple[Passkey, Account] | None]:
    """A passkey and whose it is; None if nobody's, or that of an account that is disabled."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM passkey WHERE credential_id = ?",  # noqa: S608 - constant
        (credential_id,),
    )
    if not rows:
        return None
    passkey = _passkey(rows[0])
    account = yield from account_by_id(passkey.account_id)
    return None if account is None else (passkey, account)


def add_passkey(passkey: Passkey) -> Work[bool]:
    """Store it; False if the account has as many as it may, or the credential is known already, whoever's it is."""
    taken = yield Statement(
        "SELECT 1 FROM passkey WHERE credential_id = ? "
        "UNION ALL SELECT 1 WHERE (SELECT count(*) FROM passkey WHERE account_id = ?) >= ?",
        (passkey.credential_id, passkey.account_id, MAX_PASSKEYS),
    )
    if taken:
        return False
    yield Statement(
        f"INSERT INTO passkey ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constant
        (
            passkey.credential_id,
            passkey.account_id,
            passkey.public_key,
            passkey.sign_count,
            passkey.name,
            passkey.created_at,
            passkey.last_used_at,
        ),
    )
    return True


def use_passkey(credential_id: bytes, sign_count: int, now: float) -> Work[bool]:
    """Note a use; False if the count has not grown though one is kept (Web Authentication Level 3, section 7.2, 22)."""
    rows = yield Statement(
        "UPDATE passkey SET sign_count = ?, last_used_at = ? "
        "WHERE credential_id = ? AND (sign_count < ? OR (sign_count = 0 AND ? = 0)) RETURNING account_id",
        (sign_count, now, credential_id, sign_count, sign_count),
    )
    return bool(rows)


def opens(credential_id: bytes, account: Account) -> Work[bool]:
    """Whether it is still a passkey of this account, and the account enabled."""
    found = yield from passkey_of_credential(credential_id)
    return found is not None and found[1].id == account.id


def remove_passkey(account_id: int, credential_id: bytes) -> Work[bool]:
    """Forget it; False if this account has no such passkey."""
    rows = yield Statement(
        "DELETE FROM passkey WHERE account_id = ? AND credential_id = ? RETURNING account_id",
        (account_id, credential_id),
    )
    return bool(rows)


def forget_passkeys(account_id: int) -> Work[None]:
    """Forget all of an account's."""
    yield Statement("DELETE FROM passkey WHERE account_id = ?", (account_id,))


def _passkey(row: Row) -> Passkey:
    credential_id, account_id, public_key, sign_count, name, created_at, last_used_at = row
    return Passkey(
        credential_id=credential_id,
        account_id=account_id,
        public_key=public_key,
        sign_count=sign_count,
        name=name,
        created_at=created_at,
        last_used_at=last_used_at,
    )
