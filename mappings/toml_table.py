"""Reads TOML strictly: every key is asked for by name, and what nobody asked for is an error that names it."""

import difflib
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NoReturn

MAX_FILE_BYTES = 1_048_576  # a mapping or value set; the largest real code lists have a few thousand rows


class SpecError(ValueError):
    """A mapping or value set cannot be used; the message names the file and the key."""


def read_toml(file: Path | Traversable, name: str) -> "Table":
    """Read a file's top table; raises SpecError naming the file, and the line if it is not TOML."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{name}: cannot be read ({error.strerror or type(error).__name__})") from None
    if len(data) > MAX_FILE_BYTES:
        raise SpecError(f"{name}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return parse_toml(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        raise SpecError(f"{name}: not UTF-8 at byte {error.start}") from None


def parse_toml(text: str, name: str) -> "Table":
    """Read the top table of a text; raises SpecError naming the line if it is not TOML."""
    try:
        return Table(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{name}: {error}") from None


class Table:
    """One table and where it stands; `done()` refuses the keys that were not taken."""

    def __init__(self, where: str, data: Mapping[str, Any]) -> None:
        self.where = where
        self._data = dict(data)
        self._known: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there (and known)."""
        self._known.add(key)
        return key in self._data

    def raw(self, key: str) -> Any:
        """Take a value of any type; None when absent."""
        self._known.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text that is not empty; without a default the key must be there."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            self.fail(f"{key!r} must be a text" if value is not None else f"{key!r} is missing")
        return str(value)

    def flag(self, key: str) -> bool:
        """Take true or false; absent is false."""
        value = self.raw(key)
        if value is not None and not isinstance(value, bool):
            self.fail(f"{key!r} must be true or false")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts, or one text as a list of one; absent is empty."""
        value = self.raw(key)
        items = [value] if isinstance(value, str) else value or []
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.fail(f"{key!r} must be a text or a list of texts")
        return tuple(items)

    def tables(self, key: str) -> "list[Table]":
        """Take a list of tables; absent is empty."""
        value = self.raw(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fail(f"{key!r} must be a list of tables")
        return [Table(f"{self.where}: {key} {number}", item) for number, item in enumerate(value, 1)]

    def table(self, key: str) -> "Table":
        """Take a table; absent is an empty one."""
        value = self.raw(key)
        if value is not None and not isinstance(value, dict):
            self.fail(f"{key!r} must be a table")
        return Table(f"{self.where}: {key}", value or {})

    def names(self) -> list[str]:
        """The keys as they stand."""
        return list(self._data)

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._data:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, 1)
                self.fail(f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))

    def fail(self, reason: str) -> NoReturn:
        """Raise SpecError naming this table."""
        raise SpecError(f"{self.where}: {reason}")
