"""Databases: what is read, that nothing can be written, and failures half-way."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Connector, Cursor, Rejected, SourceError, SourceOptionError, SourceRecord
from connectors.registry import build
from connectors.sql_read_only import connected, why_not_a_query

SCRIPT = """
CREATE TABLE client (id INTEGER PRIMARY KEY, name TEXT, born DATE, gone INTEGER, version INTEGER);
INSERT INTO client VALUES (1, 'A', '2014-03-09', 0, 10), (2, 'B', NULL, 1, 11), (3, 'C:D', NULL, 0, 11);
CREATE TABLE worker (ref TEXT, team TEXT, version INTEGER);
INSERT INTO worker VALUES ('w', 'T', 5);
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "case.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def connector(path: Path | str, **kinds: dict[str, Any]) -> Connector:
    url = path if isinstance(path, str) else f"sqlite:///{path}"
    return build("sql", {"url": url, "kinds": kinds}, expects={kind: frozenset() for kind in kinds})


def items(source: Connector, since: Cursor | None = None) -> list[SourceRecord | Rejected | Cursor]:
    return list(source.records(since))


def records(source: Connector, since: Cursor | None = None) -> list[SourceRecord]:
    return [item for item in items(source, since) if isinstance(item, SourceRecord)]


def test_values_come_as_text(database: Path) -> None:
    record = records(connector(database, client={"table": "client", "key": ["id"]}))[0]
    assert record.fields == {"id": "1", "name": "A", "born": "2014-03-09", "gone": "0", "version": "10"}


def test_several_kinds_are_read_in_order_and_progress_counts_rows(database: Path) -> None:
    source = connector(
        database,
        worker={"table": "worker", "key": ["ref", "team"]},
        client={"query": "SELECT * FROM client;", "key": ["id"]},
    )
    assert source.estimate() == 4
    assert [(record.kind, record.key) for record in records(source)] == [
        ("worker", "w|T"),
        ("client", "1"),
        ("client", "2"),
        ("client", "3"),
    ]
    assert source.position() == 4


def test_query_with_colons_and_quotation_is_not_taken_for_parameters(database: Path) -> None:
    query = "SELECT id, name, '10:30' AS t FROM client WHERE name = 'C:D'"
    (record,) = records(connector(database, client={"query": query, "key": ["id"]}))
    assert (record.key, record.fields["t"]) == ("3", "10:30")


def test_later_run_reads_from_the_last_version_on(database: Path) -> None:
    source = connector(database, client={"table": "client", "key": ["id"], "version": "version"})
    last = items(source)[-1]
    assert isinstance(last, Cursor)
    execute(database, "UPDATE client SET version = 12 WHERE id = 1")
    # Rows of the last version come again: others of the same version may have been committed since.
    assert [record.key for record in records(source, last)] == ["2", "3", "1"]


def test_each_kind_has_its_own_place_in_the_cursor(database: Path) -> None:
    source = connector(
        database,
        worker={"table": "worker", "key": ["ref"], "version": "version"},
        client={"table": "client", "key": ["id"], "version": "version"},
    )
    last = items(source)[-1]
    assert isinstance(last, Cursor)
    execute(database, "INSERT INTO worker VALUES ('x', 'T', 6)")
    assert [record.key for record in records(source, last)] == ["w", "x", "2", "3"]


def test_row_marked_as_deleted_is_a_tombstone(database: Path) -> None:
    source = connector(database, client={"table": "client", "key": ["id"], "version": "version", "deleted": "gone"})
    assert source.manifest.deletions == "tombstone"
    assert [record.key for record in records(source) if record.deleted] == ["2"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM client",
        "SELECT 1; DELETE FROM client",
        "WITH gone AS (DELETE FROM client RETURNING *) SELECT * FROM gone",
        "SELECT * INTO copy FROM client",
        "SELECT * FROM client FOR UPDATE",
        "SELECT 'it''s' ; DROP TABLE client --'",
        "/* SELECT */ UPDATE client SET name = ''",
        "SELECT $$ ' $$ FROM client",
        "SELECT 'open",
        "SELECT 1 /* open",
        "PRAGMA query_only = OFF",
        "EXEC change_all",
        "",
    ],
)
def test_query_that_could_write_is_refused(database: Path, query: str) -> None:
    assert why_not_a_query(query)
    with pytest.raises(SourceOptionError, match=r"option 'query'|option 'table'"):
        connector(database, client={"query": query, "key": ["id"]} if query else {"key": ["id"]})


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, 'delete; update' AS \"set\" FROM [into] -- drop\n;",
        "with a as (select 1 as id) select * from a /* insert */",
        "SELECT last_update, created, offset_set FROM client",
    ],
)
def test_query_that_only_reads_is_taken(query: str) -> None:
    assert why_not_a_query(query) == ""


def test_database_itself_refuses_to_write_even_if_a_statement_got_through(database: Path) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - this test alone goes past the connector

    with connected(sa.make_url(f"sqlite:///{database}")) as connection:
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            connection.exec_driver_sql("DELETE FROM client")
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            connection.exec_driver_sql("CREATE TABLE other (id)")


def test_one_run_sees_one_state_of_the_database(database: Path) -> None:
    execute(database, "PRAGMA journal_mode = WAL")
    source = connector(database, client={"table": "client", "key": ["id"]}, worker={"table": "worker", "key": ["ref"]})
    iterator = source.records(None)
    next(iterator)
    execute(database, "DELETE FROM worker")
    assert [item.key for item in iterator if isinstance(item, SourceRecord)] == ["2", "3", "w"]


def test_missing_column_is_named(database: Path) -> None:
    options = {"url": f"sqlite:///{database}", "kinds": {"client": {"table": "client", "key": ["id"]}}}
    source = build("sql", options, expects={"client": frozenset({"surname"})})
    with pytest.raises(SourceError, match=r"'client' has no column 'surname'"):
        items(source)


def test_missing_table_is_an_error_naming_the_kind(database: Path) -> None:
    with pytest.raises(SourceError, match=r"reading 'client' failed \(OperationalError\)"):
        items(connector(database, client={"table": "nobody", "key": ["id"]}))


def test_query_that_fails_half_way_yields_what_came_before_and_then_an_error(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO client VALUES (?, 'x', NULL, 0, 1)", [(number,) for number in range(4, 2004)]
        )
    # abs() of the smallest integer overflows: a run-time error at one row only.
    query = "SELECT id, abs(CASE WHEN id = 1500 THEN -9223372036854775808 ELSE id END) AS size FROM client"
    iterator = connector(database, client={"query": query, "key": ["id"]}).records(None)
    seen: list[str] = []
    with pytest.raises(SourceError, match=r"reading 'client' after \d+ rows failed"):
        seen.extend(item.key for item in iterator if isinstance(item, SourceRecord))
    assert seen[:3] == ["1", "2", "3"]
    assert "1500" not in seen


def test_errors_hold_neither_credentials_nor_what_the_driver_says(tmp_path: Path) -> None:
    missing = tmp_path / "missing.sqlite"
    source = connector(f"sqlite://clerk:secret@/{missing}", client={"table": "client", "key": ["id"]})
    with pytest.raises(SourceError) as caught:
        items(source)
    assert "missing.sqlite" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "clerk" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert not missing.exists()


@pytest.mark.parametrize("url", ["nonsense", "martian://clerk:secret@host/db", "sqlite+nothing://"])
def test_wrong_url_is_an_error_without_it(url: str) -> None:
    with pytest.raises(SourceOptionError, match="option 'url'") as caught:
        connector(url, client={"table": "client", "key": ["id"]})
    assert "secret" not in str(caught.value)


def test_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    options = {
        "url": "sqlite:///x",
        "password_file": tmp_path / "none",
        "kinds": {"client": {"table": "c", "key": ["id"]}},
    }
    with pytest.raises(SourceOptionError, match="option 'password_file'"):
        build("sql", options, expects={"client": frozenset()})


def test_versions_for_some_kinds_only_are_refused(database: Path) -> None:
    with pytest.raises(SourceOptionError, match="option 'version' must be given for all kinds or for none"):
        connector(
            database,
            client={"table": "client", "key": ["id"], "version": "version"},
            worker={"table": "worker", "key": ["ref"]},
        )


@pytest.mark.parametrize(
    "value", ["", "[]", "7", '{"client": ["number"]}', '{"client": ["number", "x"]}', '{"client": 3}']
)
def test_cursor_of_another_source_is_refused(database: Path, value: str) -> None:
    source = connector(database, client={"table": "client", "key": ["id"], "version": "version"})
    if value == "[]":  # an empty object: nothing read yet
        assert len(records(source, Cursor("{}"))) == 3
    else:
        with pytest.raises(SourceError, match="the cursor is not one of this source"):
            items(source, Cursor(value))


def test_value_too_long_or_with_a_null_byte_rejects_its_row(database: Path) -> None:
    execute(database, "UPDATE client SET name = char(65, 0, 66) WHERE id = 1")
    execute(database, "UPDATE client SET name = printf('%.*c', 70000, 'x') WHERE id = 2")
    found = items(connector(database, client={"table": "client", "key": ["id"]}))
    assert [(item.field, item.reason) for item in found if isinstance(item, Rejected)] == [
        ("name", "holds a null byte"),
        ("name", "longer than 65536 characters"),
    ]
