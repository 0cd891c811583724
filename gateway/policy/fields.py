"""Strict reading of one TOML table: every key is asked for by name and type, and what nobody asked for is an error."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from gateway.errors import ConfigurationError
from mappings.vocabulary import Mode

MAX_TEXT = 2000  # characters of one value
MAX_ITEMS = 200  # of one list

Code = TypeVar("Code", bound=StrEnum)
_MISSING = object()


class Fields:
    """A table being read. `where` says which in errors, such as `agreement.toml: rule safeguarding`."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        """Nothing is read yet."""
        self._table = table
        self._where = where
        self._read: set[str] = set()

    def named(self, name: str) -> "Fields":
        """The same table, with what is read so far, under a better name for errors."""
        other = Fields(self._table, f"{self._where.rsplit(': ', 1)[0]}: {name}")
        other._read = self._read
        return other

    def error(self, key: str, expected: str) -> ConfigurationError:
        """The error to raise about a key."""
        return ConfigurationError(f"{self._where}: {key}: must be {expected}")

    def close(self) -> None:
        """Raise ConfigurationError if there is a key that was not asked for."""
        unknown = sorted(set(self._table) - self._read)
        if unknown:
            raise ConfigurationError(f"{self._where}: {unknown[0]}: unknown key")

    def text(self, key: str, default: str | None = None) -> str:
        """A text of 1 to MAX_TEXT characters; may be empty only by default."""
        value = self._get(key, _MISSING if default is None else default)
        if key in self._table and not _is_text(value):
            raise self.error(key, f"a text of 1 to {MAX_TEXT} characters")
        return str(value)

    def flag(self, key: str) -> bool:
        """true or false, written out."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self.error(key, "true or false")
        return value

    def day(self, key: str) -> date:
        """A TOML date without a time."""
        value = self._get(key)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.error(key, "a date such as 2026-04-01")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts without repetition; may be empty only if there is a default."""
        value = self._get(key, _MISSING if default is None else list(default))
        if not isinstance(value, list) or len(value) > MAX_ITEMS or not all(map(_is_text, value)):
            raise self.error(key, f"a list of at most {MAX_ITEMS} texts")
        if len(set(value)) != len(value):
            raise self.error(key, "a list without repetition")
        if not value and default is None:
            raise self.error(key, "a list with at least one entry")
        return tuple(value)

    def code(self, key: str, codes: type[Code]) -> Code:
        """One code of a vocabulary, compared exactly."""
        value = self._get(key)
        if value not in list(codes):
            raise self.error(key, f"one of {', '.join(codes)}")
        return codes(value)

    def codes(self, key: str, codes: type[Code]) -> tuple[Code, ...]:
        """At least one code of a vocabulary."""
        values = self.texts(key)
        if not set(values) <= set(codes):
            raise self.error(key, f"some of {', '.join(codes)}")
        return tuple(map(codes, values))

    def mode(self, key: str) -> Mode:
        """A disclosure mode above `none`."""
        value = self._get(key)
        codes = [mode.code for mode in Mode if mode]
        if value not in codes:
            raise self.error(key, f"one of {', '.join(codes)}")
        return Mode.from_code(value)

    def table(self, key: str) -> "Fields":
        """A table within this one."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.error(key, "a table")
        return Fields(value, f"{self._where}: {key}")

    def tables(self, key: str, *, most: int, least: int = 1) -> list["Fields"]:
        """`least` to `most` tables, as of `[[rule]]`; errors count them from 1. Of none the key may be left out."""
        value = self._get(key, _MISSING if least else [])
        if (
            not isinstance(value, list)
            or not least <= len(value) <= most
            or not all(isinstance(t, dict) for t in value)
        ):
            raise self.error(key, f"{least} to {most} tables")
        return [Fields(table, f"{self._where}: {key} {number}") for number, table in enumerate(value, 1)]

    def _get(self, key: str, default: object = _MISSING) -> Any:
        self._read.add(key)
        value = self._table.get(key, default)
        if value is _MISSING:
            raise ConfigurationError(f"{self._where}: {key}: missing")
        return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT
