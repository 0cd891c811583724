"""What is particular to SQLite: files and their modes, versions, attached files, and how its faults are told."""

import sqlite3
import stat
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.database import sqlite_connection
from gateway.database.contract import Statement, Work
from gateway.database.migrate import SCHEMAS, migrations, pending
from gateway.database.sqlite import open_sqlite
from gateway.errors import StorageError


def add(name: str) -> Work[None]:
    yield Statement("INSERT INTO import_source (name, federation) VALUES (?, 'f')", (name,))


def pragma(text: str) -> Work[object]:
    rows = yield Statement(text)
    return rows[0][0]


def modes_in(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_all_files_are_private(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.touch(mode=0o644)
    database = await open_sqlite(path, schema="node")
    await database.write(add("a"))
    modes = modes_in(tmp_path)
    assert modes.keys() >= {"node.db", "node.db-wal"}
    assert set(modes.values()) == {0o600}
    await database.close()
    assert modes_in(tmp_path) == {"node.db": 0o600}


async def test_what_is_written_is_synced_at_each_commit(tmp_path: Path) -> None:
    database = await open_sqlite(tmp_path / "node.db", schema="node")
    assert await database.write(pragma("PRAGMA synchronous")) == 2
    assert await database.write(pragma("PRAGMA journal_mode")) == "wal"
    assert await database.write(pragma("PRAGMA foreign_keys")) == 1
    await database.close()


async def test_opening_again_keeps_the_data(tmp_path: Path) -> None:
    for name in ("a", "b"):
        database = await open_sqlite(tmp_path / "node.db", schema="node")
        await database.write(add(name))
        await database.close()
    with sqlite3.connect(tmp_path / "node.db") as connection:
        assert connection.execute("SELECT count(*) FROM import_source").fetchone() == (2,)
    connection.close()


async def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    await (await open_sqlite(path, schema="node")).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9000")
    connection.close()
    with pytest.raises(StorageError, match="newer"):
        await open_sqlite(path, schema="node")


@pytest.mark.parametrize("statement", ["CREATE TABLE other (id INTEGER)", "PRAGMA application_id = 77"])
async def test_a_file_of_something_else_is_refused(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "node.db"
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    with pytest.raises(StorageError, match="not a Patchwork database of schema node"):
        await open_sqlite(path, schema="node")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(StorageError, match="not a database"):
        await open_sqlite(path, schema="node")


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"node database node\.db: cannot be opened: No such file"):
        await open_sqlite(tmp_path / "missing" / "node.db", schema="node")


async def test_a_damaged_file_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    database = await open_sqlite(path, schema="node")
    await database.write(add("a"))
    await database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        await open_sqlite(path, schema="node")
    assert path.read_bytes() == bytes(content)


async def test_a_full_disk_is_told_and_nothing_is_half_written(tmp_path: Path) -> None:
    database = await open_sqlite(tmp_path / "node.db", schema="node")
    await database.write(pragma("PRAGMA max_page_count = 1"))  # the engine keeps what there is, and adds no page

    def much() -> Work[None]:
        for number in range(10_000):
            yield from add(f"{number:>0200}")

    with pytest.raises(StorageError, match="the disk is full"):
        await database.write(much())
    assert await database.read(pragma("SELECT count(*) FROM import_source")) == 0
    await database.close()


async def test_a_lock_held_by_another_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "BUSY_TIMEOUT_MS", 20)
    database = await open_sqlite(tmp_path / "node.db", schema="node")
    other = sqlite3.connect(tmp_path / "node.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        await database.write(add("a"))
    assert await database.read(pragma("SELECT count(*) FROM import_source")) == 0
    other.execute("ROLLBACK")
    other.close()
    await database.write(add("a"))
    await database.close()


async def test_an_attached_database_is_read_in_the_same_work(tmp_path: Path) -> None:
    attached = sqlite3.connect(tmp_path / "ledger.db")
    attached.execute("PRAGMA journal_mode = WAL")
    attached.execute("CREATE TABLE only_there (value INTEGER)")
    attached.execute("INSERT INTO only_there VALUES (7)")
    attached.commit()
    database = await open_sqlite(tmp_path / "node.db", schema="node", attach={"ledger": tmp_path / "ledger.db"})
    assert await database.read(pragma("SELECT value FROM only_there")) == 7
    with pytest.raises(StorageError):
        await database.read(pragma("UPDATE only_there SET value = 8 RETURNING value"))
    await database.close()
    attached.close()


async def test_an_attached_database_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        await open_sqlite(tmp_path / "node.db", schema="node", attach={"keys": tmp_path / "keys.db"})
    assert not (tmp_path / "keys.db").exists()


def test_migrations_after_the_applied_ones_are_pending() -> None:
    known = migrations("sqlite", "node")
    assert pending("sqlite", "node", 1) == known[1:]
    assert pending("sqlite", "node", len(known)) == []
    with pytest.raises(StorageError, match="no migrations for schema other"):
        migrations("sqlite", "other")


def test_every_table_is_explained() -> None:
    folder = Path(sqlite_connection.__file__).parent / "sql" / "sqlite"
    for schema in SCHEMAS:
        for file in (folder / schema).glob("*.sql"):
            lines = file.read_text("utf-8").splitlines()
            for before, line in pairwise(lines):
                assert not line.startswith("CREATE TABLE") or before.startswith("-- "), f"{file}: {line}"
