"""Which join codes the operator has made, as long as they are good: they end before their time with the key itself.

A file beside the operator's key, for the operator alone; codes themselves are not in it.
"""

from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.errors import ConfigurationError, MalformedMessage
from gateway.files import read_file, replace_file
from gateway.wire.claims import Claims, array, moment, only, read_claims, text
from gateway.wire.invitation import Invitation
from gateway.wire.limits import MAX_MEMBERS

CODES_FILE = "codes.json"
MAX_FILE_BYTES = 4 * 1024 * 1024  # 4,096 names of 200 characters, four bytes each, and what holds them together


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCode:
    """`name` of whom it was meant for, or its id; epoch seconds."""

    name: str
    expires_at: int


def remember_code(folder: Path, invitation: Invitation, now: float) -> None:
    """Put one more into the file, and leave out those that are over; raises ConfigurationError."""
    made = OpenCode(name=invitation.name or invitation.id, expires_at=invitation.expires_at)
    _write(folder, [*open_codes(folder, now), made][-MAX_MEMBERS:])


def open_codes(folder: Path, now: float) -> list[OpenCode]:
    """Those that are good still, in the order in which they were made; raises ConfigurationError."""
    file = folder / CODES_FILE
    if not file.exists():
        return []
    try:
        table = read_claims(read_file(file, MAX_FILE_BYTES), max_bytes=MAX_FILE_BYTES)
        only(table, frozenset({"codes"}))
        codes = [_read(entry) for entry in array(table, "codes", dict, maximum=MAX_MEMBERS)]
    except MalformedMessage as error:
        raise ConfigurationError(f"{file}: {error}; move it away: it is a reminder, and nothing goes by it") from error
    return [code for code in codes if now < code.expires_at]


def forget_codes(folder: Path) -> None:
    """None is good any more; raises ConfigurationError."""
    if (folder / CODES_FILE).exists():
        _write(folder, [])


def _read(entry: Claims) -> OpenCode:
    only(entry, frozenset({"name", "expires_at"}))
    return OpenCode(name=text(entry, "name"), expires_at=moment(entry, "expires_at"))


def _write(folder: Path, codes: list[OpenCode]) -> None:
    replace_file(folder / CODES_FILE, orjson.dumps({"codes": codes}))
