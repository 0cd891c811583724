"""Writes an agreement's TOML: flat keys, one table, lists of tables. Read back by policy/agreement.py and nothing else.

It writes texts, flags, dates and lists of texts; anything else raises TypeError, which its reader never yields.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(document: Mapping[str, Any], *, heading: Sequence[str] = ()) -> str:
    """`document` as TOML: plain values first, then tables, then lists of tables, each in its own order.

    `heading` are comment lines.
    """
    plain = {key: value for key, value in document.items() if not _is_table(value) and not _is_tables(value)}
    lines = [*(f"# {line}" for line in heading), *_pairs(plain)]
    for key, value in document.items():
        if _is_table(value):
            lines += ["", f"[{_key(key)}]", *_pairs(value)]
    for key, value in document.items():
        for table in value if _is_tables(value) else ():
            lines += ["", f"[[{_key(key)}]]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_table, value))


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{_key(key)} = {_value(value)}" for key, value in table.items())


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case date():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"{type(value).__name__} has no place in an agreement")


def _text(value: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but TOML wants DEL escaped, and knows no halves of characters."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
