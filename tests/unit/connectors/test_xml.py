"""XML: shapes of real exports, and hostile documents (tests/vectors/sources/)."""

import resource
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Cursor, Rejected, SourceError, SourceOptionError, SourceRecord
from connectors.registry import build
from connectors.xml import MAX_ATTRIBUTES, MAX_DEPTH, MAX_RECORD_BYTES, MAX_RECORD_ELEMENTS

VECTORS = Path(__file__).parents[2] / "vectors" / "sources"
KINDS = {"client": {"element": "client", "key": ["@id"]}}


def records(path: Path, kinds: dict[str, Any] | None = None) -> list[SourceRecord | Rejected]:
    kinds = kinds or KINDS
    source = build("xml", {"path": path, "kinds": kinds}, expects={kind: frozenset() for kind in kinds})
    return [item for item in source.records(None) if not isinstance(item, Cursor)]


def read(tmp_path: Path, document: str, kinds: dict[str, Any] | None = None) -> list[SourceRecord | Rejected]:
    path = tmp_path / "export.xml"
    path.write_text(document, encoding="utf-8")
    return records(path, kinds)


def test_element_becomes_plain_data(tmp_path: Path) -> None:
    (record,) = read(
        tmp_path,
        '<a xmlns:n="urn:n" xmlns="urn:a"><n:client n:id="7"><name>A</name><tel kind="m">1</tel><tel>2</tel>'
        "<none/><!-- left out --><text>one <b>two</b> three</text></n:client></a>",
    )
    assert isinstance(record, SourceRecord)
    assert record.fields == {
        "@id": "7",
        "name": "A",
        "tel": [{"@kind": "m", "#text": "1"}, "2"],
        "none": None,
        "text": {"b": "two", "#text": "one  three"},
    }


def test_keys_are_made_of_nested_parts(tmp_path: Path) -> None:
    kinds = {"client": {"element": "client", "key": ["ref/no", "@area"]}}
    (record,) = read(tmp_path, '<a><client area="N"><ref><no>7|8</no></ref></client></a>', kinds)
    assert isinstance(record, SourceRecord)
    assert record.key == "7%7C8|N"


def test_element_of_a_kind_inside_a_record_is_part_of_it(tmp_path: Path) -> None:
    items = read(tmp_path, '<a><client id="1"><family><client id="2"/></family></client></a>')
    assert [item.key for item in items if isinstance(item, SourceRecord)] == ["1"]


@pytest.mark.parametrize(
    "name", ["billion_laughs", "external_entity", "external_dtd", "parameter_entity", "quadratic_blowup"]
)
def test_dtd_is_refused_and_nothing_of_it_is_used(name: str) -> None:
    with pytest.raises(SourceError, match=rf"{name}\.xml: has a document type declaration"):
        records(VECTORS / f"{name}.xml")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("truncated", r"truncated\.xml line \d+: not well-formed XML"),
        ("undefined_entity", r"undefined_entity\.xml line 2: not well-formed XML \(undeclared entity\)"),
        ("null_byte", r"null_byte\.xml line 2: not well-formed XML"),
        ("wrong_encoding", r"wrong_encoding\.xml line 2: not well-formed XML"),
        ("other_shape", r"other_shape\.xml: none of the elements client is in it"),
        ("empty", r"empty\.xml: empty"),
    ],
)
def test_unusable_document_is_named_with_its_line(name: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        records(VECTORS / f"{name}.xml")


def test_records_before_the_damage_are_yielded() -> None:
    source = build("xml", {"path": VECTORS / "truncated.xml", "kinds": KINDS}, expects={"client": frozenset()})
    iterator = source.records(None)
    assert isinstance(next(iterator), SourceRecord)
    with pytest.raises(SourceError):
        list(iterator)


def test_errors_do_not_quote_the_document(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, '<a><client id="Secretname"></Othername></a>')
    assert "name" not in str(caught.value).removeprefix("export.xml").replace("tag name mismatch", "")
    assert caught.value.__cause__ is None


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"nested deeper than {MAX_DEPTH}"):
        read(tmp_path, "<a>" * 100_000)


def test_too_many_attributes_are_refused(tmp_path: Path) -> None:
    attributes = " ".join(f'a{number}=""' for number in range(MAX_ATTRIBUTES + 1))
    with pytest.raises(SourceError, match=f"more than {MAX_ATTRIBUTES} attributes"):
        read(tmp_path, f"<a><client {attributes}/></a>")


@pytest.mark.parametrize("inside", ["<x/>" * MAX_RECORD_ELEMENTS, f"<x>{'y' * 1000}</x>" * (MAX_RECORD_BYTES // 500)])
def test_oversized_record_is_rejected_and_the_run_goes_on(tmp_path: Path, inside: str) -> None:
    items = read(tmp_path, f'<a><client id="1">{inside}</client><client id="2"/></a>')
    assert isinstance(items[0], Rejected)
    assert "a record of more than" in items[0].reason
    assert [item.key for item in items if isinstance(item, SourceRecord)] == ["2"]


def test_two_hundred_megabytes_of_text_are_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    with path.open("w") as file:
        file.write('<a><client id="1">')
        for _ in range(200):
            file.write("x" * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SourceError, match=r"export\.xml line 1: not well-formed XML"):
        records(path)
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    )  # KiB; lxml's own limit is 10 MB of text


def test_endless_prolog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no element in the first"):
        read(tmp_path, "<?xml version='1.0'?>" + "<!-- x -->" * 20_000 + "<a/>")


def test_two_kinds_of_one_element_are_refused(tmp_path: Path) -> None:
    kinds = {**KINDS, "person": {"element": "client", "key": ["@id"]}}
    with pytest.raises(SourceOptionError, match="'client' belongs to another kind"):
        read(tmp_path, "<a/>", kinds)
