"""Spreadsheets as people make them, and files made to do harm: each is read, or refused with what and where."""

import struct
import time
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from connectors.contract import Rejected, SourceError, SourceRecord
from connectors.registry import build
from connectors.spreadsheet import MAX_FILE_BYTES, Row, rows_of
from connectors.spreadsheet_cells import MAX_CELL_CHARS, MAX_COLUMNS, MAX_ROWS
from tests.contract.workbook import Cell, archive, ods, xlsx

HEADER = ["Ref", "Name"]
SECRET = "Katherine Bramley"


def read(folder: Path, content: bytes, file: str = "list.xlsx", **options: object) -> list[SourceRecord | Rejected]:
    path = folder / file
    path.write_bytes(content)
    given = {"path": path, "kinds": {"row": {"key": ["Ref"]}}, **options}
    connector = build("spreadsheet", given, expects={"row": frozenset({"Ref", "Name"})})
    return [item for item in connector.records(None) if isinstance(item, SourceRecord | Rejected)]


def names(items: list[SourceRecord | Rejected]) -> list[object]:
    return [item.fields["Name"] for item in items if isinstance(item, SourceRecord)]


@pytest.mark.parametrize(
    "make",
    [
        xlsx,
        ods,
        lambda rows: "\r\n".join(";".join(row) for row in rows).encode("utf-8-sig"),
        lambda rows: "\n".join("\t".join(row) for row in rows).encode("utf-16"),
        lambda rows: "\n".join(",".join(row) for row in rows).encode("windows-1252"),
    ],
    ids=["xlsx", "ods", "csv with semicolons", "tabs in UTF-16", "Windows csv"],
)
def test_a_list_is_read_whatever_wrote_it(tmp_path: Path, make: Callable[[list[list[str]]], bytes]) -> None:
    items = read(tmp_path, make([HEADER, ["007", "Zoë Ng"], ["", ""], ["8", "=1+1"]]), "anything at all.bin")
    assert names(items) == ["Zoë Ng", "=1+1"]
    assert [item.key for item in items if isinstance(item, SourceRecord)] == ["007", "8"]
    assert items[1].where.endswith((" row 4", " line 4"))


def test_days_and_numbers_become_text_as_people_read_them(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [[*HEADER], [9990000018, date(2012, 3, 2)], [1.5, "02/03/2012"], ["0123", None]]
    items = read(tmp_path, xlsx(rows))
    assert [item.key for item in items if isinstance(item, SourceRecord)] == ["9990000018", "1.5", "0123"]
    assert names(items) == ["2012-03-02", "02/03/2012", ""]


def test_a_title_above_the_header_in_merged_cells_is_skipped(tmp_path: Path) -> None:
    content = xlsx([["Members 2026"], [], HEADER, ["1", "Zoë Ng"]], merged="A1:B1")
    (item,) = read(tmp_path, content, skip_lines=1)  # rows that hold nothing do not count
    assert item.where == "list.xlsx row 4"


def test_a_long_cell_and_a_row_longer_than_the_header_cost_their_row(tmp_path: Path) -> None:
    content = xlsx([HEADER, ["1", "a" * (MAX_CELL_CHARS + 1)], ["2", "Zoë Ng", "more"], ["3", "Owen Pike"]])
    long, ragged, good = read(tmp_path, content)
    assert isinstance(long, Rejected)
    assert isinstance(ragged, Rejected)
    assert (long.where, ragged.where) == ("list.xlsx row 2", "list.xlsx row 3")
    assert names([good]) == ["Owen Pike"]


def test_a_null_byte_costs_its_row(tmp_path: Path) -> None:
    items = read(tmp_path, b"Ref,Name\n1,Zo\0e\n2,Owen Pike\n", "list.csv")
    assert names(items) == ["Owen Pike"]


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read")
    for value in ("&file;", "&many;"):
        sheet = (
            f'<!DOCTYPE w [<!ENTITY file SYSTEM "file://{secret}"><!ENTITY a "{"ha" * 5000}">'
            f'<!ENTITY many "{"&a;" * 5000}">]>'
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
            '<row r="1"><c r="A1" t="inlineStr"><is><t>Ref</t></is></c><c r="B1" t="inlineStr"><is><t>Name</t></is></c>'
            '</row><row r="2"><c r="A2"><v>1</v></c>'
            f'<c r="B2" t="inlineStr"><is><t>{value}</t></is></c></row></sheetData></worksheet>'
        )
        content = xlsx([HEADER], more={"xl/worksheets/sheet1.xml": sheet.encode()})
        with pytest.raises(SourceError, match="damaged"):
            read(tmp_path, content)


@cache
def _bomb() -> bytes:
    return archive({"[Content_Types].xml": b"x", "xl/worksheets/sheet1.xml": bytes(151_000_000)})


def _lying(content: bytes) -> bytes:
    """The same archive, whose table of contents says that nothing is large."""
    at = 0
    changed = bytearray(content)
    while (at := changed.find(b"PK\x01\x02", at)) >= 0:
        struct.pack_into("<I", changed, at + 24, 10)
        at += 4
    return bytes(changed)


def _far_cell() -> bytes:
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        "</sheetData></worksheet>"
    )
    return xlsx([HEADER], more={"xl/worksheets/sheet1.xml": sheet.encode()})


@pytest.mark.parametrize(
    ("content", "said"),  # what is long is made when it is needed, and never part of a test's name
    [
        (b"", "it is empty"),
        (b"\r\n \r\n", "it is empty"),
        (xlsx([]), "it is empty"),
        (b"MZ\x90\x00\x03", "is it a spreadsheet"),
        (b"\x00\x01\x02binary\x00\xff\xfe" * 50, "is it a spreadsheet"),
        (b"%PDF-1.7\n", "is it a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"PK\x03\x04 and no archive", "it is damaged"),
        (xlsx([HEADER])[:-40], "it is damaged"),
        (archive({"notes.txt": SECRET.encode()}), "it is damaged"),
        (xlsx([HEADER, ["1", SECRET]], more={"xl/vbaProject.bin": b"macro"}), "it holds macros"),
        (_bomb, "it unpacks to more"),
        (lambda: _lying(_bomb()), "it is damaged|it unpacks to more"),
        (_far_cell, "it unpacks to more|more than"),
        (lambda: xlsx([HEADER, *([["1", SECRET]] * MAX_ROWS)]), f"more than {MAX_ROWS} rows"),
        (lambda: b"Ref,Name\n" + b"1,x\n" * MAX_ROWS, f"more than {MAX_ROWS} rows"),
        (lambda: b"Ref" + b"," * 1_000_000, "longer than 131072"),
        (lambda: b"Ref,Name" + b",x" * MAX_COLUMNS, f"more than {MAX_COLUMNS} columns"),
        (lambda: b"Ref,Name\n1," + b"x" * MAX_FILE_BYTES, "larger than 10 MB"),
        (f'Ref,Name\n1,"{SECRET}\n2,x\n'.encode(), "does not end"),
        (f"Ref,Name\n1,{SECRET} \u00e9\n".encode() + b"2,\xe9\n", "not UTF-8"),
        (b"Name,Ref,Ref\n", "more than one column 'Ref'"),
        (b"Reference,Name\n", "no column 'Ref'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_soon_and_without_what_it_holds(
    tmp_path: Path, content: bytes | Callable[[], bytes], said: str
) -> None:
    file = content if isinstance(content, bytes) else content()
    begun = time.monotonic()
    with pytest.raises(SourceError, match=said) as refused:
        read(tmp_path, file, "list.dat", name="your file")
    assert str(refused.value).startswith("your file")
    assert "Bramley" not in str(refused.value)
    assert time.monotonic() - begun < 15


def test_a_reader_that_is_left_half_way_ends_its_process(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(xlsx([HEADER, *([["1", "x"]] * 20_000)]))
    rows = rows_of(path)
    assert next(rows) == Row("list.xlsx row 1", HEADER)
    rows.close()  # a process that lived on would be a ResourceWarning
