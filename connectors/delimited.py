"""CSV, TSV and their kin as real exports have them: one file for each kind of record, or one wide file.

Options (docs/connecting-a-case-system.md): path, encoding, separator, quote, escape, skip_lines, kinds.<kind>.file and
.key.
A ragged row, a null byte or an empty key costs its row; a missing column, a wrong encoding, a quotation that does not
end or an endless line make the file unusable, because nobody could say what else they hide.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from connectors.contract import (
    MAX_VALUE_CHARS,
    Cursor,
    FieldValue,
    Manifest,
    Rejected,
    SourceError,
    SourceRecord,
)
from connectors.files import fingerprint, opened, size, with_cursors
from connectors.options import Options, joined_key
from connectors.text_lines import ENCODINGS, TextLines

MAX_COLUMNS = 2000
MAX_SKIP_LINES = 100
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    kind: str
    path: Path
    key: tuple[str, ...]
    columns: frozenset[str]  # that must be in the header


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a text file writes its rows."""

    encoding: str
    separator: str  # empty: take that which the header uses most
    quote: str
    escape: str
    skip_lines: int


class DelimitedConnector:
    """Reads delimited text files, each a snapshot of its kind of record."""

    manifest = Manifest(incremental=False, deletions="snapshot")

    def __init__(self, options: Mapping[str, Any], expects: Mapping[str, frozenset[str]]) -> None:
        given = Options("delimited", options)
        path = given.path("path")
        self._form = _form(given)
        kinds = given.kinds(expects)
        given.done()
        self._files = [_file(kind, path, kinds[kind], expects[kind], alone=len(kinds) == 1) for kind in kinds]
        self._read_before = 0
        self._lines: TextLines | None = None

    def records(self, since: Cursor | None) -> Iterator[SourceRecord | Rejected | Cursor]:
        """Yield the rows of all files in order; raises SourceError."""
        return with_cursors(self._rows(), fingerprint(file.path for file in self._files), since)

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to tell: a file stays as it is."""

    def estimate(self) -> int:
        """Bytes of all files."""
        return size(file.path for file in self._files)

    def position(self) -> int:
        """Bytes read in this run."""
        return self._read_before + (self._lines.file.bytes_read if self._lines else 0)

    def _rows(self) -> Iterator[SourceRecord | Rejected]:
        self._read_before, self._lines = 0, None
        for file in self._files:
            with opened(file.path) as stream:
                self._lines = TextLines(stream, file.path.name, self._form.encoding)
                yield from _records(file, self._lines, self._form)
            self._read_before += self._lines.file.bytes_read
            self._lines = None


def _form(given: Options) -> Form:
    separator = given.text("separator", "detect")
    separator = "" if separator == "detect" else _SEPARATORS.get(separator, separator)
    form = Form(
        encoding=given.choice("encoding", ENCODINGS),
        separator=separator,
        quote=given.choice("quote", ('"', "'", "")),
        escape=given.choice("escape", ("", "\\")),
        skip_lines=given.count("skip_lines", MAX_SKIP_LINES),
    )
    if len(form.separator) > 1 or form.separator in ("\r", "\n", form.quote or "\n"):
        given.fail(f"option 'separator' must be one character, {', '.join(map(repr, _SEPARATORS))} or 'detect'")
    return form


def _file(kind: str, path: Path, given: Options, columns: frozenset[str], *, alone: bool) -> _File:
    name = given.text("file", "")
    key = given.texts("key")
    given.done()
    if not name and not alone:
        given.fail("option 'file' is missing: the name of this kind's file in the folder 'path'")
    if name != Path(name).name:
        given.fail("option 'file' must be the name of a file in the folder 'path'")
    return _File(kind=kind, path=path / name if name else path, key=key, columns=columns | frozenset(key))


def _records(file: _File, lines: TextLines, form: Form) -> Iterator[SourceRecord | Rejected]:
    """Yield the rows of one file by its header."""
    rows = table_rows(lines, form)
    header = next(rows, None)
    if header is None:
        raise SourceError(f"{lines.name}: there is no header line")
    names = _header(header, file, lines)
    for row in rows:
        where = f"{lines.name} line {lines.row_line}"
        if isinstance(row, Rejected):
            yield row
        elif any(value.strip() for value in row):
            yield _record(file, names, row, where)


def table_rows(lines: TextLines, form: Form) -> Iterator[list[str] | Rejected]:
    """Yield header and rows as lists of values; a row that cannot be read comes as Rejected."""
    source = iter(lines)
    separator = form.separator
    first = next(source, "")
    if first.lower().startswith("sep=") and len(first.rstrip("\r\n")) == len("sep=,"):
        separator, first = first[4], next(source, "")  # a spreadsheet program's own first line
    for _ in range(form.skip_lines):
        first = next(source, "")
    lines.begin_row()
    lines.row_line = lines.number
    reader = csv.reader(
        chain([first], source) if first else source,
        delimiter=separator or _commonest_separator(first),
        quotechar=form.quote or None,
        quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
        escapechar=form.escape or None,
        strict=True,
    )
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if lines.ended:
                raise SourceError(
                    f"{lines.name} line {lines.row_line}: a quotation that begins in this row does not end"
                ) from None
            yield Rejected(where=f"{lines.name} line {lines.row_line}", field="", reason="misplaced quotation mark")
        else:
            if lines.row_null or "\0" in first:
                yield Rejected(where=f"{lines.name} line {lines.row_line}", field="", reason="holds a null byte")
            else:
                yield row
        first = ""
        lines.begin_row()


def _commonest_separator(header: str) -> str:
    outside_quotes = "".join(header.split('"')[::2])
    return max(_SEPARATORS.values(), key=outside_quotes.count)


def _header(header: list[str] | Rejected, file: _File, lines: TextLines) -> list[str]:
    """The names of the columns; raises SourceError naming the one that is missing or there twice."""
    where = f"{lines.name} line {lines.row_line}"
    if isinstance(header, Rejected):
        raise SourceError(f"{where}: the header {header.reason}")
    if len(header) > MAX_COLUMNS:
        raise SourceError(f"{where}: more than {MAX_COLUMNS} columns")
    names = [" ".join(name.split()) for name in header]
    for column in sorted(file.columns):
        found = names.count(column)
        if found != 1:
            raise SourceError(f"{where}: {'no column' if not found else 'more than one column'} {column!r}")
    return names


def _record(file: _File, names: list[str], row: list[str], where: str) -> SourceRecord | Rejected:
    # Spreadsheets leave separators behind the last value.
    if len(row) < len(names) or any(value.strip() for value in row[len(names) :]):
        return Rejected(where=where, field="", reason=f"{len(row)} values for {len(names)} columns")
    for name, value in zip(names, row, strict=False):
        if len(value) > MAX_VALUE_CHARS:
            return Rejected(where=where, field=name, reason=f"longer than {MAX_VALUE_CHARS} characters")
    fields: dict[str, FieldValue] = {name: value for name, value in zip(names, row, strict=False) if name}
    key = joined_key([str(fields[column]).strip() for column in file.key])
    if not key:
        return Rejected(where=where, field=" + ".join(file.key), reason="the key is empty")
    return SourceRecord(kind=file.kind, key=key, fields=fields, where=where)
