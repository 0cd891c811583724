"""Delimited text: the forms that real exports have, and hostile files."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Connector, Cursor, Rejected, SourceError, SourceOptionError, SourceRecord
from connectors.registry import build
from connectors.text_lines import MAX_ROW_CHARS

EXPECTS = {"client": frozenset({"id", "name"})}


def connector(file: Path, **options: Any) -> Connector:
    return build("delimited", {"path": file, "kinds": {"client": {"key": ["id"]}}, **options}, expects=EXPECTS)


def read(path: Path, data: bytes, **options: Any) -> list[SourceRecord | Rejected]:
    path.write_bytes(data)
    return [item for item in connector(path, **options).records(None) if not isinstance(item, Cursor)]


def names(items: list[SourceRecord | Rejected]) -> list[Any]:
    return [item.fields["name"] for item in items if isinstance(item, SourceRecord)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clients.csv"


@pytest.mark.parametrize(
    ("codec", "bom"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("windows-1252", b""),
    ],
)
def test_encoding_is_detected(path: Path, codec: str, bom: bytes) -> None:
    text = "id,name\r\n1,Zoë Müller \u2013 née O\u2019Brien\r\n"
    assert names(read(path, bom + text.encode(codec))) == ["Zoë Müller \u2013 née O\u2019Brien"]


@pytest.mark.parametrize(
    ("encoding", "codec"), [("utf-16", "utf-16"), ("iso-8859-15", "iso-8859-15"), ("utf-8", "utf-8-sig")]
)
def test_encoding_can_be_configured(path: Path, encoding: str, codec: str) -> None:
    assert names(read(path, "id,name\n1,Šárka\n".encode(codec, "replace"), encoding=encoding))[0].endswith("rka")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_detected_by_the_header(path: Path, separator: str) -> None:
    text = f'id{separator}name\n1{separator}"a,b;c|d"\n'
    assert names(read(path, text.encode())) == ["a,b;c|d"]


def test_separator_named_in_the_first_line_is_used(path: Path) -> None:
    assert names(read(path, b"sep=;\r\nid;name\r\n1;A\r\n")) == ["A"]


def test_separator_can_be_named(path: Path) -> None:
    assert names(read(path, b"id\tname\n1\tA\n", separator="tab")) == ["A"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_are_read_and_lines_are_counted(path: Path, end: str) -> None:
    items = read(path, end.join(["id,name", '1,"two', 'lines"', "2,B", ""]).encode())
    assert [item.where for item in items] == ["clients.csv line 2", "clients.csv line 4"]
    assert names(items) == [f"two{end}lines", "B"]


def test_line_ends_divided_between_two_reads_count_once(path: Path) -> None:
    rows = [f"{number:06},{'x' * 57}" for number in range(3000)]  # of 64 bytes, so that some end meets a read's end
    for shift in range(3):
        items = read(
            path,
            ("id,name" + "y" * shift + "\r\n" + "\r\n".join(rows))
            .replace("nameyy", "name")
            .replace("namey", "name")
            .encode(),
        )
        assert len(items) == 3000
        assert items[-1].where == "clients.csv line 3001"


def test_other_quotation_and_escape_can_be_configured(path: Path) -> None:
    assert names(read(path, b"id,name\n1,'O\\'Brien, Jo'\n", quote="'", escape="\\")) == ["O'Brien, Jo"]
    assert names(read(path, b'id,name\n1,6" pipe\n', quote="")) == ['6" pipe']


def test_title_lines_are_skipped_and_blank_rows_ignored(path: Path) -> None:
    items = read(path, b"Our clients,\n\nid,name\n1,A\n,\n\n2,B\n", skip_lines=2)
    assert names(items) == ["A", "B"]
    assert [item.where for item in items] == ["clients.csv line 4", "clients.csv line 7"]


def test_separators_behind_the_last_value_are_ignored(path: Path) -> None:
    assert names(read(path, b"id,name\n1,A,,,\n")) == ["A"]


def test_several_files_are_several_kinds(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text("id\n1\n")
    (tmp_path / "workers.csv").write_text("ref,team\nw,T\n")
    options = {
        "path": tmp_path,
        "kinds": {
            "client": {"file": "clients.csv", "key": ["id"]},
            "worker": {"file": "workers.csv", "key": ["ref", "team"]},
        },
    }
    both = build("delimited", options, expects={"client": frozenset(), "worker": frozenset()})
    found = [(item.kind, item.key) for item in both.records(None) if isinstance(item, SourceRecord)]
    assert found == [("client", "1"), ("worker", "w|T")]
    assert both.position() == both.estimate()


def test_ragged_rows_are_rejected_with_their_line(path: Path) -> None:
    items = read(path, b"id,name\n1,A\n2\n3,C,extra\n4,D\n")
    assert names(items) == ["A", "D"]
    assert [(item.where, item.reason) for item in items if isinstance(item, Rejected)] == [
        ("clients.csv line 3", "1 values for 2 columns"),
        ("clients.csv line 4", "3 values for 2 columns"),
    ]


def test_null_byte_rejects_its_row_only(path: Path) -> None:
    items = read(path, b"id,name\n1,A\n2,B\0B\n3,C\n")
    assert names(items) == ["A", "C"]
    assert Rejected(where="clients.csv line 3", field="", reason="holds a null byte") in items


def test_misplaced_quotation_mark_rejects_its_row_only(path: Path) -> None:
    items = read(path, b'id,name\n1,"A" B\n2,C\n')
    assert names(items) == ["C"]
    assert Rejected(where="clients.csv line 2", field="", reason="misplaced quotation mark") in items


def test_quotation_that_does_not_end_is_an_error_with_its_line(path: Path) -> None:
    with pytest.raises(SourceError, match=r"clients\.csv line 3: a quotation that begins in this row does not end"):
        read(path, b'id,name\n1,A\n2,"B\n3,C\n')


def test_quotation_that_swallows_a_long_file_is_an_error_with_its_line(path: Path) -> None:
    with pytest.raises(SourceError, match=r"clients\.csv line 3: a row longer than"):
        read(path, b'id,name\n1,A\n2,"B\n' + b"3,C\n" * MAX_ROW_CHARS)


def test_missing_column_is_named(path: Path) -> None:
    with pytest.raises(SourceError, match=r"clients\.csv line 1: no column 'name'"):
        read(path, b"id,surname\n1,A\n")


def test_column_that_is_there_twice_is_named(path: Path) -> None:
    with pytest.raises(SourceError, match=r"more than one column 'name'"):
        read(path, b"id,name,name\n1,A,B\n")


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_empty_file_is_an_error_not_a_source_without_records(path: Path, data: bytes) -> None:
    with pytest.raises(SourceError, match="no header line"):
        read(path, data)


def test_wrong_encoding_is_named_with_its_line_after_the_rows_before_it(path: Path) -> None:
    path.write_bytes(b"id,name\n1,A\n2,Zo\xeb\n3,C\n")
    iterator = connector(path, encoding="utf-8").records(None)
    assert isinstance(next(iterator), SourceRecord)
    with pytest.raises(SourceError, match=r"clients\.csv line 3: byte 0xeb is not utf-8"):
        list(iterator)


def test_mixture_of_encodings_is_an_error_with_its_line(path: Path) -> None:
    with pytest.raises(SourceError, match=r"clients\.csv line 4: a byte that is not UTF-8"):
        read(path, "id,name\n1,Zoë\n2,A\n".encode() + b"3,Zo\xeb\n")


def test_byte_without_meaning_is_named_with_its_line(path: Path) -> None:
    with pytest.raises(SourceError, match=r"clients\.csv line 2: byte 0x81 is not windows-1252"):
        read(path, b"id,name\n1,\x81\xe9\n")


def test_two_hundred_megabytes_of_one_line_are_refused_in_bounded_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"id,name\n1,")
        file.truncate(200_000_000)  # a hole: null bytes that take no space on the disk
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match=rf"clients\.csv line 2: a row longer than {MAX_ROW_CHARS} characters"):
            list(connector(path).records(None))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_file_that_changes_while_it_is_read_is_an_error(path: Path) -> None:
    path.write_bytes(b"id,name\n1,A\n2,B\n")
    iterator = connector(path).records(None)
    next(iterator)
    with path.open("ab") as file:
        file.write(b"3,C\n")
    with pytest.raises(SourceError, match="changed while it was read"):
        list(iterator)


def test_cursor_of_another_state_of_the_file_starts_again(path: Path) -> None:
    path.write_bytes(b"id,name\n1,A\n")
    last = list(connector(path).records(None))[-1]
    assert isinstance(last, Cursor)
    assert list(connector(path).records(last)) == [last]
    assert names([x for x in read(path, b"id,name\n1,A\n2,B\n") if isinstance(x, SourceRecord)]) == ["A", "B"]
    assert len(list(connector(path).records(last))) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seperator": ";"}, "unknown option 'seperator'"),
        ({"encoding": "ebcdic"}, "option 'encoding' must be one of"),
        ({"separator": "::"}, "option 'separator' must be one character"),
        ({"skip_lines": -1}, "option 'skip_lines' must be a whole number"),
        ({"path": 7}, "option 'path' must be a text"),
        ({"kinds": {}}, "option 'kinds' must have a table"),
        ({"kinds": {"client": {}}}, "kind 'client': option 'key' must be a list"),
        ({"kinds": {"client": {"key": ["id"], "file": "../x"}}}, "option 'file' must be the name of a file"),
        ({"kinds": {"client": {"key": ["id"]}, "worker": {"key": ["id"]}}}, "has 'worker', which the mapping does not"),
        ({"kinds": {"worker": {"key": ["id"]}}}, "has no 'client', which the mapping reads"),
    ],
)
def test_wrong_option_is_named(path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceOptionError, match=message):
        connector(path, **options)


def test_unknown_connector_is_named() -> None:
    with pytest.raises(SourceOptionError, match="no connector 'fax'; known are delimited, spreadsheet, sql, xml"):
        build("fax", {}, expects={})
