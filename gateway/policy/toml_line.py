"""On which line of an agreement's TOML a key stands, for whoever has to mend it. Pure, and only ever a good guess."""

import re
from typing import Final

_TABLE: Final = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_-]+)\s*\]{1,2}\s*(?:#.*)?")


def line_of(text: str, message: str) -> int | None:
    """The line (from 1) that an error of read_agreement() is about; None where it cannot be told.

    The message ends in `KEY: what is wrong`, perhaps after the table: `rule ID`, `rule 3`, `party 2`, `identifier`.
    """
    lines = text.splitlines()
    parts = message.split(": ")
    for place, part in enumerate(parts):
        begin = _table(lines, part)
        if begin is not None:
            key = parts[place + 1] if place + 1 < len(parts) else ""
            return (_key(lines, key, begin, inside=True) or begin) + 1
        if part.startswith(("rule ", "party ")):
            return None
    found = (_key(lines, part, 0, inside=False) for part in parts)
    return next((line + 1 for line in found if line is not None), None)


def _table(lines: list[str], named: str) -> int | None:
    """Where a table begins: by its number among those of its name, or a rule by its id."""
    name, _, which = named.partition(" ")
    begins = [place for place, line in enumerate(lines) if (found := _TABLE.fullmatch(line)) and found[1] == name]
    if not which:
        return begins[0] if begins and name not in {"rule", "party"} else None
    if which.isascii() and which.isdecimal() and len(which) <= 3 and 0 < int(which) <= len(begins):  # noqa: PLR2004
        return begins[int(which) - 1]
    wanted = re.compile(rf"""\s*id\s*=\s*["']{re.escape(which)}["']\s*(?:#.*)?""")
    return next((begin for begin in begins for line in _body(lines, begin) if wanted.fullmatch(lines[line])), None)


def _key(lines: list[str], key: str, begin: int, *, inside: bool) -> int | None:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", key):
        return None
    wanted = re.compile(rf"\s*{re.escape(key)}\s*=")
    where = _body(lines, begin) if inside else range(len(lines))
    return next((place for place in where if wanted.match(lines[place])), None)


def _body(lines: list[str], begin: int) -> range:
    """The lines of a table behind its heading."""
    end = next((place for place in range(begin + 1, len(lines)) if _TABLE.fullmatch(lines[place])), len(lines))
    return range(begin + 1, end)
