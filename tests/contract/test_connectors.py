"""What every connector guarantees (connectors/contract.py), run against each of them."""

import tracemalloc
from collections.abc import Generator
from pathlib import Path

import pytest

from connectors.contract import BATCH_RECORDS, Connector, Cursor, Rejected, SourceError, SourceRecord
from tests.contract.sources import ALL, Row, Source

ROWS: list[Row] = [(f"{number:05}", f"Person {number}", f"2026-01-01 {number:05}") for number in range(1200)]


@pytest.fixture(params=sorted(ALL))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    made = ALL[request.param](tmp_path)
    made.write(ROWS)
    return made


def read(connector: Connector, since: Cursor | None = None) -> list[SourceRecord | Rejected | Cursor]:
    return list(connector.records(since))


def keys(items: list[SourceRecord | Rejected | Cursor]) -> list[str]:
    return [item.key for item in items if isinstance(item, SourceRecord)]


def test_complete_run_yields_every_record_once_with_fields_and_place(source: Source) -> None:
    items = read(source.open())
    assert keys(items) == [key for key, _, _ in ROWS]
    first = next(item for item in items if isinstance(item, SourceRecord))
    assert (first.kind, first.fields["id"], first.fields["name"]) == ("client", "00000", "Person 0")
    assert first.where
    assert not first.deleted


def test_cursors_stand_after_each_batch_and_at_the_end(source: Source) -> None:
    items = read(source.open())
    assert isinstance(items[-1], Cursor)
    since_cursor = 0
    for item in items:
        since_cursor = 0 if isinstance(item, Cursor) else since_cursor + 1
        assert since_cursor <= BATCH_RECORDS


def test_run_resumes_after_each_acknowledged_cursor_and_leaves_nothing_out(source: Source) -> None:
    items = read(source.open())
    remaining = len(ROWS)
    for place, item in enumerate(items):
        if not isinstance(item, Cursor) or place == len(items) - 1:
            continue
        resumed = source.open()
        resumed.acknowledge(item)
        rest = keys(read(resumed, item))
        assert set(rest) >= set(keys(items[place:]))
        assert len(rest) <= remaining, "a later cursor must not go back"
        remaining = len(rest)


def test_second_run_of_an_unchanged_source_is_the_same(source: Source) -> None:
    connector = source.open()
    assert read(connector) == read(connector)


def test_manifest_tells_whether_a_later_run_gets_changes_only(source: Source) -> None:
    connector = source.open()
    last = read(connector)[-1]
    assert isinstance(last, Cursor)
    source.write([*ROWS[:700], ("00700", "Changed", "2026-02-01 00000"), *ROWS[701:], ("99999", "New", "2026-02-01 1")])
    later = keys(read(source.open(), last))
    assert {"00700", "99999"} <= set(later)
    assert (len(later) < 10) is connector.manifest.incremental


def test_what_was_deleted_no_longer_comes(source: Source) -> None:
    assert source.open().manifest.deletions in {"snapshot", "none"}  # of the spreadsheet, nothing follows from that
    source.write(ROWS[1:])
    assert keys(read(source.open())) == [key for key, _, _ in ROWS[1:]]


def test_records_of_an_incremental_source_come_in_the_order_of_their_versions(source: Source) -> None:
    connector = source.open()
    versions = [item.version for item in read(connector) if isinstance(item, SourceRecord)]
    if connector.manifest.incremental:
        assert versions == sorted(version or "" for version in versions)
    else:
        assert set(versions) == {None}


def test_progress_reaches_the_estimate(source: Source) -> None:
    connector = source.open()
    total = connector.estimate()
    assert total
    read(connector)
    assert connector.position() == total


def test_memory_stays_bounded_however_many_records_there_are(source: Source) -> None:
    source.write((f"{number:06}", "Somebody with a name", f"{number:06}") for number in range(8_000))
    connector = source.open()
    tracemalloc.start()
    try:
        count = sum(isinstance(item, SourceRecord) for item in connector.records(None))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 8_000
    assert peak < 2_000_000


def test_record_without_key_is_rejected_and_the_run_goes_on(source: Source) -> None:
    source.write([("a", "A", "1"), ("", "No key", "2"), ("c", "C", "3")])
    items = read(source.open())
    assert sorted(keys(items)) == ["a", "c"]
    (rejected,) = (item for item in items if isinstance(item, Rejected))
    assert (rejected.field, rejected.reason) == ("id", "the key is empty")
    assert rejected.where


def test_missing_source_is_an_error_and_nothing_is_created(source: Source, tmp_path: Path) -> None:
    (file,) = tmp_path.iterdir()
    file.unlink()
    with pytest.raises(SourceError, match=file.stem):
        read(source.open())
    assert not list(tmp_path.iterdir())


def test_iterator_can_be_left_half_way(source: Source) -> None:
    connector = source.open()
    iterator = connector.records(None)
    next(iterator)
    assert isinstance(iterator, Generator)
    iterator.close()
    assert len(keys(read(connector))) == len(ROWS)
