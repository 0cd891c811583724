"""Spreadsheets as small organisations keep them: CSV, XLSX, ODS. What a file does not hold says nothing.

Options (docs/connecting-a-case-system.md): path, name, sheet, skip_lines, kinds.<kind>.key; one kind of record.
What a file is, its first bytes tell, not its name. Text is read as by `delimited`; a workbook in a process of its own
(spreadsheet_cells.py), whose memory and time are bounded. Cells are values, never formulas; days become ISO 8601.
"""

import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import orjson

from connectors import spreadsheet_cells
from connectors.contract import Cursor, FieldValue, Manifest, Rejected, SourceError, SourceRecord
from connectors.delimited import MAX_SKIP_LINES, Form, table_rows
from connectors.files import fingerprint, opened, size, with_cursors
from connectors.options import Options, joined_key
from connectors.spreadsheet_cells import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS, TOO_LARGE
from connectors.text_lines import TextLines

MAX_FILE_BYTES: Final = 10_000_000
_SAMPLE: Final = 4096
_LINE_BYTES: Final = 6 * MAX_COLUMNS * (MAX_CELL_CHARS + 8)  # JSON escapes a character as six
_ZIP, _OLE, _PROGRAM, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"MZ", b"%PDF"
_FORM: Final = Form(encoding="detect", separator="", quote='"', escape="", skip_lines=0)
_NO_ROW: Final = "is it a spreadsheet? Save it as .xlsx, .ods or .csv"


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file, cells as text; `where` names it to people."""

    where: str
    cells: list[str]


@dataclass(slots=True)
class Progress:
    """How far a file has been read, in its bytes."""

    done: int = 0


def rows_of(
    path: Path, *, name: str = "", sheet: str = "", progress: Progress | None = None, within_s: float | None = None
) -> Generator[Row | Rejected]:
    """All rows from the first one that holds anything; raises SourceError, which calls the file `name`.

    A workbook that has not been read to its end in `within_s` seconds is too large.
    """
    told = name or path.name
    progress = progress or Progress()
    with opened(path) as stream:
        total = size([path])
        if total > MAX_FILE_BYTES:
            raise SourceError(f"{told}: larger than {MAX_FILE_BYTES // 1_000_000} MB")
        sample = stream.read(_SAMPLE)
        stream.seek(0)
        _refuse(sample, told)
        if sample.startswith(_ZIP):
            yield from _of_workbook(path, told, sheet, total, progress, within_s)
        else:
            yield from _of_text(stream, told, progress)
        progress.done = total


def _refuse(sample: bytes, told: str) -> None:
    """What cannot be a spreadsheet is not read as one."""
    if not sample.strip():
        raise SourceError(f"{told}: it is empty")
    if sample.startswith(_OLE):
        raise SourceError(f"{told}: it is an old workbook (.xls) or has a password: save it as .xlsx without one")
    if sample.startswith((_PROGRAM, _PDF)):
        raise SourceError(f"{told}: {_NO_ROW}")


def _of_text(stream: BinaryIO, told: str, progress: Progress) -> Iterator[Row | Rejected]:
    lines = TextLines(stream, told, _FORM.encoding)
    for number, row in enumerate(table_rows(lines, _FORM), 1):
        progress.done = lines.file.bytes_read
        if number > MAX_ROWS:
            raise SourceError(f"{told}: it has more than {MAX_ROWS} rows")
        if isinstance(row, Rejected):
            if number == 1:  # nothing can be told of the columns, or it is no text at all
                raise SourceError(f"{row.where}: the first row {row.reason}; {_NO_ROW}")
            yield row
        elif len(row) > MAX_COLUMNS:
            raise SourceError(f"{told} line {lines.row_line}: it has more than {MAX_COLUMNS} columns")
        elif any(cell.strip() for cell in row):
            yield Row(f"{told} line {lines.row_line}", row)


def _of_workbook(
    path: Path, told: str, sheet: str, total: int, progress: Progress, within_s: float | None
) -> Iterator[Row]:
    with _reader(path, sheet, within_s) as printed:
        rows, last, ended = 0, 0, False
        for line in iter(lambda: printed.readline(_LINE_BYTES), b""):
            try:
                said = orjson.loads(line)
            except orjson.JSONDecodeError:
                break  # cut off where the limits ended the process
            if isinstance(said, list):
                number, cells = said
                progress.done = total * min(number, rows) // (rows + 1)
                if any(cell.strip() for cell in cells):
                    yield Row(f"{told} row {number}", cells)
                ended = ended or number == last
            elif "error" in said:
                raise SourceError(f"{told}: {said['error']}")
            else:
                rows, last = said["rows"], said["last"]
        if not ended:
            raise SourceError(f"{told}: {TOO_LARGE}")


@contextmanager
def _reader(path: Path, sheet: str, within_s: float | None) -> Iterator[IO[bytes]]:
    """What the process prints that reads a workbook; it ends with this, or in `within_s` seconds."""
    program = [sys.executable, "-P", spreadsheet_cells.__file__, str(path), sheet]
    with subprocess.Popen(  # noqa: S603 - a file of ours, on a path that no shell reads
        program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        end = threading.Timer(within_s or 0.0, process.kill)
        end.daemon = True
        if within_s is not None:
            end.start()
        try:
            yield process.stdout
        finally:
            end.cancel()
            process.kill()


class SpreadsheetConnector:
    """Reads one sheet, or one text file, by its header."""

    manifest = Manifest(incremental=False, deletions="none")

    def __init__(self, options: Mapping[str, Any], expects: Mapping[str, frozenset[str]]) -> None:
        given = Options("spreadsheet", options)
        self._path = given.path("path")
        self._told = given.text("name", self._path.name)
        self._sheet = given.text("sheet", "", empty=True)
        self._skip = given.count("skip_lines", MAX_SKIP_LINES)
        kinds = given.kinds(expects)
        given.done()
        if len(kinds) != 1:
            given.fail("a spreadsheet has one kind of record")
        ((self._kind, of_kind),) = kinds.items()
        self._key = of_kind.texts("key")
        of_kind.done()
        self._columns = expects[self._kind] | frozenset(self._key)
        self._progress = Progress()

    def records(self, since: Cursor | None) -> Iterator[SourceRecord | Rejected | Cursor]:
        """Yield the rows below the header in order; raises SourceError."""
        return with_cursors(self._records(), fingerprint([self._path]), since)

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to tell: a file stays as it is."""

    def estimate(self) -> int:
        """Bytes of the file."""
        return size([self._path])

    def position(self) -> int:
        """Bytes read in this run; of a workbook, as many as its rows make likely."""
        return self._progress.done

    def _records(self) -> Iterator[SourceRecord | Rejected]:
        self._progress.done = 0
        names: list[str] | None = None
        with closing(rows_of(self._path, name=self._told, sheet=self._sheet, progress=self._progress)) as rows:
            for row in islice(rows, self._skip, None):
                if isinstance(row, Rejected):
                    yield row
                elif names is None:
                    names = self._header(row)
                else:
                    yield self._record(row, names)
        if names is None:
            raise SourceError(f"{self._told}: there is no header row")

    def _header(self, row: Row) -> list[str]:
        names = header_names(row.cells)
        for column in sorted(self._columns):
            found = names.count(column)
            if found != 1:
                missing = "no column" if not found else "more than one column"
                raise SourceError(f"{row.where}: {missing} {column!r}")
        return names

    def _record(self, row: Row, names: list[str]) -> SourceRecord | Rejected:
        reason = problem_of(row.cells, names)
        if reason:
            return Rejected(where=row.where, field="", reason=reason)
        fields: dict[str, FieldValue] = {name: cell for name, cell in zip(names, row.cells, strict=False) if name}
        fields |= {name: "" for name in names[len(row.cells) :] if name}
        key = joined_key([str(fields[column]).strip() for column in self._key])
        if not key:
            return Rejected(where=row.where, field=" + ".join(self._key), reason="the key is empty")
        return SourceRecord(kind=self._kind, key=key, fields=fields, where=row.where)


def header_names(cells: list[str]) -> list[str]:
    """The names of columns as mappings know them: white space collapsed, none behind the last that has one."""
    names = [" ".join(cell.split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def problem_of(cells: list[str], names: list[str]) -> str:
    """Why a row cannot be read by its header, without a value; empty if it can."""
    if any(cell.strip() for cell in cells[len(names) :]):
        return f"{len(cells)} values for {len(names)} columns"
    if any(len(cell) > MAX_CELL_CHARS for cell in cells):
        return f"a cell is longer than {MAX_CELL_CHARS} characters"
    return ""
