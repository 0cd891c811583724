"""Accounts of people whom the agency's directory signs in: found by issuer and subject alone, never by login or email.

Their roles are those that the directory gives at each sign-in; what that changes stands in account_change. An account
that was disabled here stays so.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.accounts.account import Account, Role, folded, is_login
from gateway.accounts.administer import replace_roles
from gateway.accounts.changes import BY_DIRECTORY, What, note
from gateway.accounts.sessions import end_all
from gateway.accounts.store import account_by_id
from gateway.database.contract import Statement, Work
from gateway.settings import OidcTable
from mappings.vocabulary import AuthMethod

MAX_NAME = 200  # characters
MAX_EMAIL = 254  # characters (RFC 5321, section 4.5.3.1)
_MAX_VALUES = 1_000  # of a claim that is a list


class NotAdmitted(StrEnum):
    """Why the directory knows somebody and the pages do not open."""

    NO_ROLE = "no-role"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPerson:
    """Somebody as the claims of a verified ID token tell of them; all texts are bounded."""

    issuer: str
    subject: str
    name: str
    email: str | None
    login: str | None
    job_role: str
    roles: frozenset[Role]
    method: AuthMethod


def read_person(claims: Mapping[str, Any], table: OidcTable) -> DirectoryPerson:
    """Read a verified token's claims by what `[web.oidc]` says of them."""
    values = set(_texts(_claim(claims, table.role_claim)))
    roles = frozenset(Role(role) for value, role in table.roles.items() if value in values)
    strong = {*_texts(claims.get("amr")), *_texts(claims.get("acr"))}.intersection(table.mfa_values)
    email = _email(claims)
    parts = " ".join(filter(None, (_text(claims.get("given_name")), _text(claims.get("family_name")))))
    names = (_text(claims.get("name")), parts, _text(claims.get("preferred_username")), email)
    login = None if table.login_claim is None else folded(_text(_claim(claims, table.login_claim)))
    job = "" if table.job_claim is None else _text(_claim(claims, table.job_claim))
    return DirectoryPerson(
        issuer=table.issuer,
        subject=claims["sub"],
        name=next(filter(None, names), None) or "?",
        email=email,
        login=login if login and is_login(login) else None,
        job_role=job or ", ".join(sorted(role.value for role in roles)).capitalize(),
        roles=roles,
        method=AuthMethod.MFA if strong else AuthMethod.PASSWORD,
    )


def account_of_subject(issuer: str, subject: str) -> Work[tuple[int, bool] | None]:
    """Row of the account of a subject, and whether it is disabled."""
    rows = yield Statement(
        "SELECT id, disabled_at IS NOT NULL FROM account WHERE oidc_issuer = ? AND oidc_subject = ?", (issuer, subject)
    )
    return (rows[0][0], bool(rows[0][1])) if rows else None


def admit(person: DirectoryPerson, federation: str, now: float) -> Work[Account | NotAdmitted]:
    """Their account, made at the first sign-in, with the name and roles of now. Without a role nobody gets one.

    Whoever has lost their last role is signed out everywhere.
    """
    known = yield from account_of_subject(person.issuer, person.subject)
    if known is not None and known[1]:
        return NotAdmitted.DISABLED
    if not person.roles:
        if known is not None:
            yield from replace_roles(known[0], (), by=BY_DIRECTORY, now=now)
            yield from end_all(known[0])
        return NotAdmitted.NO_ROLE
    account_id = known[0] if known is not None else (yield from _add(person, federation, now))
    if known is not None:
        yield from _change_details(account_id, person, now)
    yield from replace_roles(account_id, person.roles, by=BY_DIRECTORY, now=now)
    account = yield from account_by_id(account_id)
    assert account is not None  # noqa: S101 - it is there and not disabled
    return account


def _add(person: DirectoryPerson, federation: str, now: float) -> Work[int]:
    login = person.login
    if login is not None and (yield Statement("SELECT 1 FROM account WHERE login = ?", (login,))):
        login = None  # somebody else's: it opens nothing, and they keep it
    ((account_id,),) = yield Statement(
        "INSERT INTO account "
        "(public_id, federation, login, name, job_role, email, oidc_issuer, oidc_subject, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            secrets.token_hex(16),
            federation,
            login,
            person.name,
            person.job_role,
            person.email,
            person.issuer,
            person.subject,
            now,
        ),
    )
    yield from note(account_id, BY_DIRECTORY, What.CREATED, now)
    return int(account_id)


def _change_details(account_id: int, person: DirectoryPerson, now: float) -> Work[None]:
    new = {"name": person.name, "job_role": person.job_role, "email": person.email}
    ((name, job_role, email),) = yield Statement(
        "SELECT name, job_role, email FROM account WHERE id = ?", (account_id,)
    )
    had = {"name": name, "job_role": job_role, "email": email}
    changed = [field for field, value in new.items() if value != had[field]]
    if changed:
        yield Statement(
            "UPDATE account SET name = ?, job_role = ?, email = ? WHERE id = ?", (*new.values(), account_id)
        )
        yield from note(account_id, BY_DIRECTORY, What.DETAILS, now, ", ".join(changed))


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name, or, where none is called so, by a path with dots between (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    found: object = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _texts(value: object) -> list[str]:
    """A claim that is one text or a list of such."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values[:_MAX_VALUES] if isinstance(each, str)]


def _text(value: object) -> str:
    """One line of what can be printed; what controls a terminal or the direction of writing is left out."""
    if not isinstance(value, str):
        return ""
    shown = "".join(each if each.isprintable() else " " for each in value[: 4 * MAX_NAME])
    return " ".join(shown.split())[:MAX_NAME]


def _email(claims: Mapping[str, Any]) -> str | None:
    email = _text(claims.get("email"))
    plain = email.count("@") == 1 and " " not in email and len(email) <= MAX_EMAIL
    return email if plain and claims.get("email_verified", True) is True else None
