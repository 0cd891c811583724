"""An account: one person of this agency, their roles, and how they sign in."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_LOGIN = 100  # characters
MAX_ACCOUNTS: Final = 20_000  # of one node: a large council's staff

_LOGIN = re.compile(r"[^\s\x00-\x1f\x7f]+")


class Role(StrEnum):
    """What an account may do on the pages; one may have several."""

    PRACTITIONER = "practitioner"
    MANAGER = "manager"
    GOVERNANCE = "governance"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One row of `account` with its roles.

    `public_id` stands for it in the ledger and in addresses. `password` is argon2id's own text, None until it is set or
    where a directory signs people in; `totp_secret` is sealed (keys.py), None without a second factor; `issuer` is
    the directory that signs them in, if one does.
    """

    id: int
    public_id: str
    login: str | None
    name: str
    job_role: str
    roles: frozenset[Role]
    password: str | None = None
    totp_secret: bytes | None = None
    issuer: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str = ""


def folded(login: str) -> str:
    """A login as it is compared: case, width and surrounding space make no difference."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def is_login(login: str) -> bool:
    """Whether somebody may have this login: 1 to MAX_LOGIN characters without spaces, as in an email address."""
    return len(login) <= MAX_LOGIN and _LOGIN.fullmatch(login) is not None
