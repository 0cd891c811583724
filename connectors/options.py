"""Reads the options of a connector strictly; every error names the option."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from connectors.contract import SourceOptionError


class Options:
    """Options of one connector or of one kind of its records; `done()` refuses those that nobody asked for."""

    def __init__(self, where: str, data: Mapping[str, Any]) -> None:
        self._where = where
        self._data = dict(data)
        self._known: set[str] = set()

    def text(self, name: str, default: str | None = None, *, empty: bool = False) -> str:
        """Take a text; without a default it must be there."""
        self._known.add(name)
        value = self._data.get(name)
        if value is None:
            if default is None:
                self.fail(f"option {name!r} is missing")
            return default
        if not isinstance(value, str) or not (value or empty):
            self.fail(f"option {name!r} must be a text")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Take one of some words; the first is the default."""
        value = self.text(name, choices[0], empty=True)
        if value not in choices:
            self.fail(f"option {name!r} must be one of {', '.join(map(repr, choices))}")
        return value

    def path(self, name: str) -> Path:
        """Take a path, given as such or as text."""
        self._known.add(name)
        value = self._data.get(name)
        if isinstance(value, Path):
            return value
        return Path(self.text(name))

    def count(self, name: str, most: int) -> int:
        """Take a whole number from 0; absent is 0."""
        self._known.add(name)
        value = self._data.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            self.fail(f"option {name!r} must be a whole number from 0 to {most}")
        return value

    def has(self, name: str) -> bool:
        """Whether the option is given."""
        self._known.add(name)
        return name in self._data

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of at least one text."""
        self._known.add(name)
        value = self._data.get(name)
        if not isinstance(value, list | tuple) or not value or not all(isinstance(x, str) and x for x in value):
            self.fail(f"option {name!r} must be a list of texts")
        return tuple(value)

    def kinds(self, expects: Mapping[str, frozenset[str]]) -> "dict[str, Options]":
        """Take `kinds`, a table for each kind of record; they must be those that the mapping reads."""
        self._known.add("kinds")
        value = self._data.get("kinds")
        if not isinstance(value, dict) or not value or not all(isinstance(kind, dict) for kind in value.values()):
            self.fail("option 'kinds' must have a table for each kind of record")
        for kind in expects:
            if kind not in value:
                self.fail(f"option 'kinds' has no {kind!r}, which the mapping reads")
        for kind in value:
            if kind not in expects:
                self.fail(f"option 'kinds' has {kind!r}, which the mapping does not read")
        return {kind: Options(f"{self._where}, kind {kind!r}", options) for kind, options in value.items()}

    def done(self) -> None:
        """Refuse options that nobody asked for."""
        for name in self._data:
            if name not in self._known:
                self.fail(f"unknown option {name!r}; known are {', '.join(sorted(self._known))}")

    def fail(self, reason: str) -> NoReturn:
        """Raise SourceOptionError naming the connector and, where there is one, the kind of record."""
        raise SourceOptionError(f"{self._where}: {reason}")


def joined_key(parts: list[str]) -> str:
    """One key of several values: `|` between them, so that no two lists give the same key. Empty if all are empty."""
    if not any(parts):
        return ""
    return parts[0] if len(parts) == 1 else "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)
