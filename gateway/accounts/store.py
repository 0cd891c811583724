"""Accounts in web.db: work for one transaction or one read (gateway/database/contract.py)."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.accounts.account import Account, Role, folded, is_login
from gateway.database.contract import Row, Statement, Work
from gateway.errors import InputError
from gateway.node.local import LocalUser
from mappings.vocabulary import AuthMethod

_COLUMNS = (
    "a.id, a.public_id, a.login, a.name, a.job_role, a.password, a.totp_secret, a.oidc_issuer, a.email, a.phone, "
    "a.language"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What is known of somebody before they first sign in."""

    federation: str
    login: str
    name: str
    job_role: str
    roles: frozenset[Role]
    granted_by: str  # a public id, or who said so at the command line


def add_account(new: NewAccount, now: float) -> Work[Account]:
    """Store it, without a password yet; raises InputError if the login is taken or cannot be one."""
    login = folded(new.login)
    if not is_login(login):
        raise InputError("a login has at most 100 characters and no spaces, as in w.smith or wendy@example.org")
    if (yield Statement("SELECT 1 FROM account WHERE login = ?", (login,))):
        raise InputError("this login is taken")
    public_id = secrets.token_hex(16)
    yield Statement(
        "INSERT INTO account (public_id, federation, login, name, job_role, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (public_id, new.federation, login, new.name, new.job_role, now),
    )
    account = yield from account_by_public_id(public_id)
    assert account is not None  # noqa: S101 - it was stored a line before
    for role in sorted(new.roles):
        yield Statement(
            "INSERT INTO account_role (account_id, role, granted_by, granted_at) VALUES (?, ?, ?, ?)",
            (account.id, role.value, new.granted_by, now),
        )
    found = yield from account_by_id(account.id)
    assert found is not None  # noqa: S101 - as above
    return found


def account_by_login(login: str) -> Work[Account | None]:
    """The account that signs in under this name, unless it is disabled."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM account a WHERE a.login = ? AND a.disabled_at IS NULL",  # noqa: S608 - constant
        (folded(login),),
    )
    return (yield from _account(rows))


def account_by_id(account_id: int) -> Work[Account | None]:
    """An account by its row, unless it is disabled."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM account a WHERE a.id = ? AND a.disabled_at IS NULL",  # noqa: S608 - constant
        (account_id,),
    )
    return (yield from _account(rows))


def account_by_public_id(public_id: str) -> Work[Account | None]:
    """An account by the id that stands in the ledger and in addresses, unless it is disabled."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM account a WHERE a.public_id = ? AND a.disabled_at IS NULL",  # noqa: S608 - constant
        (public_id,),
    )
    return (yield from _account(rows))


def names_by_public_id(public_ids: Iterable[str]) -> Work[dict[str, str]]:
    """Names of accounts, disabled ones too, by the id that stands in the ledger."""
    found: dict[str, str] = {}
    for public_id in sorted(set(public_ids)):
        found.update((yield Statement("SELECT public_id, name FROM account WHERE public_id = ?", (public_id,))))
    return found


def same_password(account: Account) -> Work[bool]:
    """Whether it is enabled, and its password and second factor are those with which `account` was read.

    Whatever follows from checking a password asks so in its own transaction: the check takes long, and meanwhile the
    owner may have set another.
    """
    now = yield from account_by_id(account.id)
    return now is not None and (now.password, now.totp_secret) == (account.password, account.totp_secret)


def is_enabled(account: Account) -> Work[bool]:
    """Whether nobody has disabled it since it was read."""
    return (yield from account_by_id(account.id)) is not None


def set_password(account_id: int, hashed: str, now: float) -> Work[None]:
    """Replace the password by its argon2id text."""
    yield Statement("UPDATE account SET password = ?, password_set_at = ? WHERE id = ?", (hashed, now, account_id))


def set_totp(account_id: int, sealed: bytes | None, step: int) -> Work[None]:
    """Begin (or, with None, end) asking for codes; `step` is that of the code that proved the secret."""
    yield Statement("UPDATE account SET totp_secret = ?, totp_step = ? WHERE id = ?", (sealed, step, account_id))


def use_totp_step(account_id: int, step: int) -> Work[bool]:
    """Use up the code of a time step; False if it, or a later one, has been used (RFC 6238, section 5.2)."""
    rows = yield Statement(
        "UPDATE account SET totp_step = ? WHERE id = ? AND totp_step < ? RETURNING id", (step, account_id, step)
    )
    return bool(rows)


def set_language(account_id: int, language: str) -> Work[None]:
    """Remember in which language to write to somebody."""
    yield Statement("UPDATE account SET language = ? WHERE id = ?", (language, account_id))


def add_worker(account_id: int, source: str, key: str) -> Work[bool]:
    """Say that this practitioner of the register, too, is this person; False if it was said before."""
    rows = yield Statement(
        "INSERT INTO account_worker (account_id, source, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (account_id, source, key),
    )
    return bool(rows)


def remove_worker(account_id: int, source: str, key: str) -> Work[bool]:
    """They are not; False if nobody had said so."""
    rows = yield Statement(
        "DELETE FROM account_worker WHERE account_id = ? AND source = ? AND key = ? RETURNING 1",
        (account_id, source, key),
    )
    return bool(rows)


def add_service(account_id: int, source: str, key: str) -> Work[bool]:
    """Say that this person works in this service of the register, too; False if it was said before."""
    rows = yield Statement(
        "INSERT INTO account_service (account_id, source, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (account_id, source, key),
    )
    return bool(rows)


def remove_service(account_id: int, source: str, key: str) -> Work[bool]:
    """They do not; False if nobody had said so."""
    rows = yield Statement(
        "DELETE FROM account_service WHERE account_id = ? AND source = ? AND key = ? RETURNING 1",
        (account_id, source, key),
    )
    return bool(rows)


def account_names() -> Work[list[str]]:
    """The names of all accounts."""
    return [name for (name,) in (yield Statement("SELECT name FROM account"))]


def local_user(account_id: int, method: AuthMethod) -> Work[LocalUser]:
    """The rows of the register that are this person now. Looked up anew for each request: imports reuse ids."""
    workers = yield Statement(
        "SELECT p.id FROM account_worker w JOIN import_source s ON s.name = w.source "
        "JOIN practitioner p ON p.source_id = s.id AND p.key = w.key WHERE w.account_id = ?",
        (account_id,),
    )
    services = yield Statement(
        "SELECT v.id FROM account_service w JOIN import_source s ON s.name = w.source "
        "JOIN service v ON v.source_id = s.id AND v.key = w.key WHERE w.account_id = ?",
        (account_id,),
    )
    return LocalUser(
        practitioner_ids=frozenset(row[0] for row in workers),
        service_ids=frozenset(row[0] for row in services),
        auth_method=method,
    )


def _account(rows: list[Row]) -> Work[Account | None]:
    if not rows:
        return None
    (row,) = rows
    account_id, public_id, login, name, job_role, password, totp_secret, issuer, email, phone, language = row
    roles = yield Statement("SELECT role FROM account_role WHERE account_id = ?", (account_id,))
    return Account(
        id=account_id,
        public_id=public_id,
        login=login,
        name=name,
        job_role=job_role,
        roles=frozenset(Role(role) for (role,) in roles),
        password=password,
        totp_secret=totp_secret,
        issuer=issuer,
        email=email,
        phone=phone,
        language=language,
    )
