"""Copies of databases that are being written: of one moment, complete, private."""

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gateway.database.contract import Work
from gateway.database.copying import copy_databases, read_copy
from gateway.errors import StorageError

ROUNDS = 10
PAGES = 300  # so many that a copy takes longer than a write


def database(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE counted (n INTEGER)")
        made.execute("CREATE TABLE padding (filler BLOB)")
        made.execute("INSERT INTO counted VALUES (0)")
        made.executemany("INSERT INTO padding VALUES (?)", [(bytes(4000),)] * PAGES)
        made.commit()
    return path


def counted(path: Path) -> int:
    def work() -> Work[int]:
        ((number,),) = yield "SELECT n FROM counted", ()
        return int(number)

    return read_copy(path, work())


def test_copies_of_several_databases_are_of_one_moment(tmp_path: Path) -> None:
    first, second = database(tmp_path / "first.db"), database(tmp_path / "second.db")
    stop = threading.Event()

    def count() -> None:
        """Now one, then the other: at no moment do they differ by more than one."""
        with closing(sqlite3.connect(first)) as one, closing(sqlite3.connect(second)) as other:
            while not stop.is_set():
                for each in (one, other):
                    each.execute("UPDATE counted SET n = n + 1")
                    each.commit()

    writer = threading.Thread(target=count)
    writer.start()
    try:
        seen = []
        for number in range(ROUNDS):
            copies = {first: tmp_path / f"first-{number}", second: tmp_path / f"second-{number}"}
            copy_databases(copies)
            seen.append([counted(copy) for copy in copies.values()])
    finally:
        stop.set()
        writer.join()
    assert all(a - b in {0, 1} for a, b in seen), seen
    assert seen[-1][0] > seen[0][0]  # it went on writing
    assert not list(tmp_path.glob("*-*-wal"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("first-*")} == {0o600}


def test_what_is_there_is_not_overwritten_and_damage_is_named(tmp_path: Path) -> None:
    source = database(tmp_path / "one.db")
    (tmp_path / "kept").write_bytes(b"kept")
    with pytest.raises(StorageError, match="kept: cannot be made"):
        copy_databases({source: tmp_path / "kept"})
    assert (tmp_path / "kept").read_bytes() == b"kept"
    content = bytearray(source.read_bytes())
    content[4096 * 3 : 4096 * 6] = bytes(4096 * 3)
    source.write_bytes(content)
    with pytest.raises(StorageError, match=r"one\.db"):
        copy_databases({source: tmp_path / "copy"})
