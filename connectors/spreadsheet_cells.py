"""Reads one sheet of an XLSX or ODS file, in a process of its own with bounded memory and time.

A workbook is an archive of XML that somebody else made: what it unpacks to is known only once it is unpacked. So it is
read where nothing else can be harmed, `connectors/spreadsheet.py` starts this and reads what it prints, a line of JSON
each: first {"sheet", "rows", "last"}, then [number of the row, its cells as text], at the end or instead {"error"}.
Only values are read: formulas, macros, links and styles are not.
"""

import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import orjson

MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 200
MAX_SHEETS: Final = 50
MAX_CELL_CHARS: Final = 2_000  # a longer cell is cut one behind it, for the reader to refuse
MAX_ENTRIES: Final = 1_000  # files in the archive
MAX_UNPACKED: Final = 150_000_000  # bytes of all of them
MEMORY: Final = 768 * 1024 * 1024  # address space of this process
CPU_S: Final = 60

_ENCRYPTED: Final = 0x1  # general purpose bit 0 (APPNOTE.TXT 4.4.4)


class Unreadable(Exception):
    """The file cannot be used; the message holds none of its values."""


def main(path: str, sheet: str) -> None:
    """Print a sheet, the first that holds anything if `sheet` is empty."""
    _limit()
    out = sys.stdout.buffer
    try:
        _check_archive(Path(path))
        for line in _lines(path, sheet):
            out.write(orjson.dumps(line) + b"\n")
    except Unreadable as error:
        out.write(orjson.dumps({"error": str(error)}) + b"\n")
    except MemoryError:
        out.write(orjson.dumps({"error": TOO_LARGE}) + b"\n")
    out.flush()


TOO_LARGE: Final = "it unpacks to more than can be read; delete the columns and sheets that are not needed"


def _limit() -> None:
    """Bound what this process may take; where the system knows no such limits, the checks of sizes alone do."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (most, most))


def _check_archive(path: Path) -> None:
    """Look at the archive's table of contents before anything of it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise Unreadable("it is damaged: open it in a spreadsheet program and save it again") from None
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Unreadable(TOO_LARGE)
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise Unreadable("it has a password: save it without one")
    if any(entry.filename.casefold().endswith(("vbaproject.bin", "/script-lc.xml")) for entry in entries):
        raise Unreadable("it holds macros: save it as a workbook without macros (.xlsx)")


def _lines(path: str, wanted: str) -> Iterator[Any]:
    import python_calamine  # noqa: PLC0415 - within the limits of memory

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        names = [each.name for each in book.sheets_metadata if "WorkSheet" in str(each.typ)]
        if len(names) > MAX_SHEETS:
            raise Unreadable(f"it has more than {MAX_SHEETS} sheets")
        if wanted and wanted not in names:
            raise Unreadable("it has no sheet of the name that was given")
        for name in [wanted] if wanted else names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height and sheet.start is not None:
                yield from _rows(name, sheet)
                return
    except python_calamine.PasswordError:
        raise Unreadable("it has a password: save it without one") from None
    except python_calamine.CalamineError:
        raise Unreadable("it is damaged: open it in a spreadsheet program and save it again") from None
    raise Unreadable("it is empty")


def _rows(name: str, sheet: Any) -> Iterator[Any]:
    if sheet.width > MAX_COLUMNS:
        raise Unreadable(f"it has more than {MAX_COLUMNS} columns")
    if sheet.height > MAX_ROWS:
        raise Unreadable(f"it has more than {MAX_ROWS} rows")
    first = sheet.start[0] + 1  # people count rows from 1
    yield {"sheet": name[:MAX_CELL_CHARS], "rows": sheet.height, "last": first + sheet.height - 1}
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), first):
        yield [number, [_text(cell)[: MAX_CELL_CHARS + 1] for cell in row]]


def _text(cell: Any) -> str:
    """A cell as text: whole numbers without a point, days as ISO 8601, a moment only where there is one."""
    match cell:
        case str():
            return cell.encode("utf-8", "replace").decode()  # a lone surrogate is no text
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


if __name__ == "__main__":
    main(*sys.argv[1:])
