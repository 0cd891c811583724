"""What administrators do to accounts: each in one transaction with its line of account_change (work for web.db).

Whoever is disabled or loses a role feels it at their next request, for sessions are looked up for each. There is
always an administrator who can undo what was done: the last one who is enabled keeps the role and the account.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.accounts.account import MAX_ACCOUNTS, Account, Role
from gateway.accounts.changes import What, note
from gateway.accounts.finding import holds
from gateway.accounts.links import begin_link
from gateway.accounts.sessions import end_all
from gateway.accounts.store import NewAccount, add_account, set_totp
from gateway.database.contract import Statement, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An account as the list shows it, disabled ones too."""

    public_id: str
    login: str
    name: str
    job_role: str
    roles: tuple[Role, ...]
    disabled: bool
    has_password: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A role that somebody has, who gave it (a public id, or "command line") and when."""

    role: Role
    by: str
    by_name: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """One account with what only administrators see of it."""

    id: int
    public_id: str
    login: str
    name: str
    job_role: str
    email: str
    phone: str
    created_at: float
    disabled_at: float | None
    has_password: bool
    has_factor: bool
    link_until: float | None
    sessions: int
    roles: tuple[Given, ...]


def listed(typed: str, *, skip: int, limit: int) -> Work[tuple[Sequence[Listed], bool]]:
    """Accounts whose name, login or job role holds what was typed, by name; and whether there are more after them."""
    rows = yield Statement(
        "SELECT a.public_id, coalesce(a.login, ''), a.name, a.job_role, a.disabled_at IS NOT NULL, "
        "a.password IS NOT NULL, (SELECT group_concat(role) FROM account_role r WHERE r.account_id = a.id) "
        "FROM account a ORDER BY a.name COLLATE NOCASE, a.id LIMIT ?",
        (MAX_ACCOUNTS,),
    )
    found = [row for row in rows if holds(typed, row[1:4])][skip : skip + limit + 1]
    return [
        Listed(
            public_id=public_id,
            login=login,
            name=name,
            job_role=job_role,
            roles=_in_order((roles or "").split(",")),
            disabled=bool(disabled),
            has_password=bool(has_password),
        )
        for public_id, login, name, job_role, disabled, has_password, roles in found[:limit]
    ], len(found) > limit


def managed(public_id: str, now: float) -> Work[Managed | None]:
    """One account by its public id, disabled or not."""
    rows = yield Statement(
        "SELECT a.id, a.public_id, coalesce(a.login, ''), a.name, a.job_role, coalesce(a.email, ''), "
        "coalesce(a.phone, ''), a.created_at, a.disabled_at, a.password IS NOT NULL, a.totp_secret IS NOT NULL, "
        "(SELECT max(expires_at) FROM setup_link l WHERE l.account_id = a.id AND l.expires_at > ?), "
        "(SELECT count(*) FROM session s WHERE s.account_id = a.id AND NOT s.awaits_code) "
        "FROM account a WHERE a.public_id = ?",
        (now, public_id),
    )
    if not rows:
        return None
    (row,) = rows
    given = yield Statement(
        "SELECT r.role, r.granted_by, coalesce(b.name, ''), r.granted_at FROM account_role r "
        "LEFT JOIN account b ON b.public_id = r.granted_by WHERE r.account_id = ?",
        (row[0],),
    )
    roles = {role: Given(role=Role(role), by=by, by_name=by_name, at=at) for role, by, by_name, at in given}
    account_id, public_id, login, name, job_role, email, phone, created_at, disabled_at, *rest = row
    has_password, has_factor, link_until, sessions = rest
    return Managed(
        id=account_id,
        public_id=public_id,
        login=login,
        name=name,
        job_role=job_role,
        email=email,
        phone=phone,
        created_at=created_at,
        disabled_at=disabled_at,
        has_password=bool(has_password),
        has_factor=bool(has_factor),
        link_until=link_until,
        sessions=sessions,
        roles=tuple(roles[role] for role in Role if role in roles),
    )


def create(new: NewAccount, *, email: str, phone: str, now: float) -> Work[Account]:
    """Store a new account with its roles; raises InputError if the login is taken or cannot be one."""
    account = yield from add_account(new, now)
    yield Statement("UPDATE account SET email = ?, phone = ? WHERE id = ?", (email or None, phone or None, account.id))
    yield from note(account.id, new.granted_by, What.CREATED, now)
    for role in _in_order(account.roles):
        yield from note(account.id, new.granted_by, What.ROLE_GIVEN, now, role.value)
    return account


def is_full() -> Work[bool]:
    """Whether there are as many accounts as a node takes."""
    rows = yield Statement("SELECT count(*) FROM account")
    return bool(rows[0][0] >= MAX_ACCOUNTS)


def change_details(
    account: Managed, *, name: str, job_role: str, email: str, phone: str, by: str, now: float
) -> Work[None]:
    """Call somebody by another name, and so on; nothing is noted where nothing differs."""
    new = {"name": name, "job_role": job_role, "email": email, "phone": phone}
    changed = [field for field, value in new.items() if value != getattr(account, field)]
    if not changed:
        return
    yield Statement(
        "UPDATE account SET name = ?, job_role = ?, email = ?, phone = ? WHERE id = ?",
        (name, job_role, email or None, phone or None, account.id),
    )
    yield from note(account.id, by, What.DETAILS, now, ", ".join(changed))


def set_roles(account_id: int, wanted: Collection[Role], *, by: str, now: float) -> Work[bool]:
    """Give and take roles until these are left; False, and nothing is done, if no administrator would remain."""
    rows = yield Statement("SELECT role FROM account_role WHERE account_id = ?", (account_id,))
    had = {Role(role) for (role,) in rows}
    if Role.ADMINISTRATOR in had and Role.ADMINISTRATOR not in wanted and (yield from _is_last(account_id)):
        return False
    yield from replace_roles(account_id, wanted, by=by, now=now)
    return True


def replace_roles(account_id: int, wanted: Collection[Role], *, by: str, now: float) -> Work[None]:
    """The same for whomever it is, the last administrator too."""
    rows = yield Statement("SELECT role FROM account_role WHERE account_id = ?", (account_id,))
    had = {Role(role) for (role,) in rows}
    for role in _in_order(had.difference(wanted)):
        yield Statement("DELETE FROM account_role WHERE account_id = ? AND role = ?", (account_id, role.value))
        yield from note(account_id, by, What.ROLE_TAKEN, now, role.value)
    for role in _in_order(set(wanted) - had):
        yield Statement(
            "INSERT INTO account_role (account_id, role, granted_by, granted_at) VALUES (?, ?, ?, ?)",
            (account_id, role.value, by, now),
        )
        yield from note(account_id, by, What.ROLE_GIVEN, now, role.value)


def disable(account_id: int, *, by: str, now: float) -> Work[list[str] | None]:
    """Sign somebody out everywhere, and never in again; the sessions that ended. A link not yet used stays void.

    None, and nothing is done, for the last administrator.
    """
    return None if (yield from _is_last(account_id)) else (yield from shut_out(account_id, by=by, now=now))


def shut_out(account_id: int, *, by: str, now: float) -> Work[list[str]]:
    """The same for whomever it is, the last administrator too."""
    rows = yield Statement(
        "UPDATE account SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL RETURNING id", (now, account_id)
    )
    if rows:
        yield Statement("DELETE FROM setup_link WHERE account_id = ?", (account_id,))
        yield from note(account_id, by, What.DISABLED, now)
    return (yield from end_all(account_id))


def enable(account_id: int, *, by: str, now: float) -> Work[None]:
    """Let somebody sign in again, with the password and second factor that they had."""
    rows = yield Statement(
        "UPDATE account SET disabled_at = NULL WHERE id = ? AND disabled_at IS NOT NULL RETURNING id", (account_id,)
    )
    if rows:
        yield from note(account_id, by, What.ENABLED, now)


def make_link(account_id: int, secret: str, *, by: str, now: float) -> Work[None]:
    """A new setup link, in place of the one before; the password holds until it is used."""
    yield from begin_link(account_id, secret, now)
    yield from note(account_id, by, What.LINK_MADE, now)


def reset_factor(account_id: int, *, by: str, now: float) -> Work[list[str]]:
    """Ask for no codes any more, as somebody has lost their phone; the sessions that ended."""
    yield from set_totp(account_id, None, 0)
    yield from note(account_id, by, What.FACTOR_RESET, now)
    return (yield from end_all(account_id))


def sign_out(account_id: int, *, by: str, now: float) -> Work[list[str]]:
    """End all sessions of somebody else; the sessions that ended."""
    yield from note(account_id, by, What.SIGNED_OUT, now)
    return (yield from end_all(account_id))


def has_other_administrators(account_id: int) -> Work[bool]:
    """Whether anybody else who is enabled is an administrator."""
    rows = yield Statement(
        "SELECT 1 FROM account_role r JOIN account a ON a.id = r.account_id "
        "WHERE r.role = 'administrator' AND a.disabled_at IS NULL AND a.id <> ? LIMIT 1",
        (account_id,),
    )
    return bool(rows)


def _is_last(account_id: int) -> Work[bool]:
    rows = yield Statement(
        "SELECT 1 FROM account_role r JOIN account a ON a.id = r.account_id "
        "WHERE r.role = 'administrator' AND a.disabled_at IS NULL AND a.id = ?",
        (account_id,),
    )
    return bool(rows) and not (yield from has_other_administrators(account_id))


def _in_order(roles: Collection[str]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)
