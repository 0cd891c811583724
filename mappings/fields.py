"""Reads single values out of one record, as a rule says: texts, dates, codes, flags, keys. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mappings.convert import Unusable, clean, iso_date
from mappings.model import MAX_FREE_TEXT, MAX_TEXT
from mappings.rules import Key, Path, Value, fold

_ABSENT = object()  # a field that is not there, which differs from one that is empty


@dataclass(frozen=True, slots=True)
class Issue:
    """What is wrong with the value of one field, for one attribute."""

    field: str
    attribute: str
    reason: str


class Rejected(Exception):
    """The object cannot be made."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.reason)
        self.issue = issue


class Record(dict[Path, tuple[str, ...]]):
    """A record, or the part of it that an `each` has come to; notes issues as it is read.

    `record[path]` are the texts of a field that are not empty, cleaned when first asked for: several objects read the
    same fields of a wide row. Methods return None or empty for what is absent, and raise Unusable for what is there and
    cannot be read.
    """

    __slots__ = ("_missing", "_node", "_whole", "issues")

    def __init__(self, whole: Mapping[str, Any], node: Mapping[str, Any], missing: frozenset[str]) -> None:
        self._whole = whole
        self._node = node
        self._missing = missing
        self.issues: list[Issue] = []

    def __missing__(self, path: Path) -> tuple[str, ...]:
        raw = (self._whole if path.from_record else self._node).get(path.label)
        found: tuple[str, ...]
        if isinstance(raw, str):  # mostly a column with one value
            text = self._known(raw)
            found = (text,) if text else ()
        else:
            found = tuple([text for node in self._found(path) if node and (text := self._known(node))])
        self[path] = found
        return found

    def parts(self, path: Path) -> "list[Record]":
        """The parts that a path leads to, each a record of its own."""
        nodes = (node if isinstance(node, dict) else {"#text": node} for node in self._found(path))
        return [Record(self._whole, node, self._missing) for node in nodes]

    def plain(self, labels: tuple[str, ...]) -> tuple[object, ...] | None:
        """These fields of the record as they stand there; None unless all are short texts or absent."""
        values = tuple([self._whole.get(label, _ABSENT) for label in labels])
        for value in values:
            if value is not _ABSENT and not (isinstance(value, str) and len(value) <= MAX_FREE_TEXT):
                return None
        return values

    def has(self, paths: tuple[Path, ...]) -> bool:
        """Whether each of these fields holds something; parts of a record count."""
        for path in paths:
            if not self[path] and not any(isinstance(node, dict) for node in self._found(path)):
                return False
        return True

    def compared(self, path: Path) -> str:
        """A field as conditions compare it: folded, and not emptied by `missing`."""
        return fold(" ".join([_text(node) for node in self._found(path)]))

    def texts(self, value: Value, limit: int = MAX_TEXT) -> tuple[str, ...]:
        """All values of a field that are not empty."""
        if value.path is None:
            return (str(value.constant),)
        found = self[value.path]
        for text in found:
            if len(text) > limit:
                raise Unusable(f"longer than {limit} characters")
        return found

    def text(self, value: Value, limit: int = MAX_TEXT) -> str | None:
        """The one value of a field."""
        if value.path is None:
            return str(value.constant)
        found = self[value.path]
        if len(found) == 1 and len(found[0]) <= limit:
            return found[0]
        return _only(self.texts(value, limit)) if found else None

    def free_text(self, value: Value) -> str | None:
        """The one value of a field that may be longer."""
        return self.text(value, MAX_FREE_TEXT)

    def lines(self, value: Value) -> str | None:
        """The one value of a field with its line breaks (an address in one cell)."""
        if value.path is None:
            return str(value.constant)
        if not self[value.path]:
            return None
        found = [_text(node) for node in self._found(value.path) if self._known(node)]
        for text in found:
            if len(text) > MAX_FREE_TEXT:
                raise Unusable(f"longer than {MAX_FREE_TEXT} characters")
        return _only(found)

    def date(self, value: Value) -> str | None:
        """An ISO date, possibly partial."""
        text = self.text(value)
        return iso_date(text, value.dates) if text and value.dates else text

    def code(self, value: Value) -> str | None:
        """What a code means; a constant means itself."""
        text = self.text(value)
        return _meaning(text, value) if text and value.path else text

    def codes(self, value: Value) -> list[str]:
        """What each of several codes means: of repeated fields, and of one field divided by `split`."""
        found: list[str] = []
        for text in self.texts(value):
            parts = text.split(value.split) if value.split and value.path else [text]
            found += [part.strip() for part in parts if part.strip()]
        return [_meaning(text, value) if value.path else text for text in found]

    def flag(self, value: Value) -> bool | None:
        """Yes or no; empty is None. `missing` does not apply: an "unknown" here must not pass for no."""
        if value.path is None:
            return bool(value.constant)
        text = self.compared(value.path)
        if not text:
            return None
        if text in value.yes or text in value.no:
            return text in value.yes
        raise Unusable("neither of its words for yes nor of those for no")

    def key(self, key: Key) -> str | None:
        """The parts of a key, joined by `|`; None when all are empty."""
        if len(key.values) == 1:
            joined = self.text(key.values[0])
            return fold(joined) if joined and key.fold else joined
        parts = [self.text(value) or "" for value in key.values]
        if not any(parts):
            return None
        joined = "|".join([part.replace("%", "%25").replace("|", "%7C") for part in parts])
        if len(joined) > MAX_TEXT:
            raise Unusable(f"a key longer than {MAX_TEXT} characters")
        return fold(joined) if key.fold else joined

    def _known(self, node: Any) -> str:
        """A value's text, cleaned; empty if it stands for "not known"."""
        text = clean(_text(node))
        return "" if text.casefold() in self._missing else text  # its white space is collapsed already

    def _found(self, path: Path) -> list[Any]:
        start = self._whole if path.from_record else self._node
        if path.label in start:  # the name of a column may hold a slash
            return _flat(start[path.label])
        if len(path.parts) == 1:
            return []
        found: list[Any] = [dict(start)]
        for part in path.parts:
            found = [value for node in found if isinstance(node, dict) and part in node for value in _flat(node[part])]
        return found


def _flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(node: Any) -> str:
    """The text of a value: of an element with attributes it is `#text`."""
    if isinstance(node, str):
        return node
    text = node.get("#text") if isinstance(node, dict) else None
    return text if isinstance(text, str) else ""


def _only(found: Sequence[str]) -> str | None:
    if len(found) > 1:
        raise Unusable("more than one value")
    return found[0] if found else None


def _meaning(text: str, value: Value) -> str:
    if value.value_set is None:
        return text
    try:
        return value.value_set.codes[fold(text)]
    except KeyError:
        raise Unusable(f"a code that value set {value.value_set.name!r} does not have") from None
