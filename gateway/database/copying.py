"""Copies of SQLite databases that other processes are writing, all of one and the same moment.

A lock on all of them is held only while a snapshot of each is opened, some milliseconds; then writers go on, and the
snapshots are copied at leisure. Until a snapshot is copied its write-ahead log cannot be cut back, and grows.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from gateway.database.contract import Work
from gateway.database.sqlite_connection import engine_errors, uri_of
from gateway.errors import StorageDamaged, StorageError

LOCK_MS = 30_000  # an import holds the lock for one batch

T = TypeVar("T")


def copy_databases(copies: Mapping[Path, Path]) -> None:
    """Copy each file (key) to a new one of mode 0600 (value), complete and on disk when this returns.

    Locks are taken in the order given: put what is written in long transactions first. Raises StorageError, also for a
    copy that SQLite's quick check finds damaged.
    """
    with _snapshots(list(copies)) as snapshots:
        for source, target in copies.items():
            with closing(snapshots.pop(source)) as snapshot:
                _copy(snapshot, source.name, target)


def read_copy(path: Path, work: Work[T]) -> T:
    """Drive read-only work on a file that nobody writes; raises StorageError."""
    name = path.name
    rows = None
    try:
        with engine_errors(name), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            while True:
                sql, params = work.send(rows)  # type: ignore[arg-type]  # a generator's first send must be None
                rows = copy.execute(sql, params).fetchall()
    except StopIteration as finished:
        result: T = finished.value
        return result


@contextmanager
def _snapshots(sources: list[Path]) -> Iterator[dict[Path, sqlite3.Connection]]:
    """A connection to each with an open read transaction, all begun while nobody could write any of them."""
    with contextlib.ExitStack() as stack:
        found: dict[Path, sqlite3.Connection] = {}
        with engine_errors(sources[0].name), closing(_connect(sources[0])) as lock:
            for number, source in enumerate(sources[1:]):
                lock.execute(f"ATTACH DATABASE ? AS other{number:d}", (uri_of(source),))
            lock.execute("BEGIN IMMEDIATE")  # of all that are attached
            for source in sources:
                with engine_errors(source.name):
                    found[source] = stack.enter_context(closing(_connect(source)))
                    found[source].execute("BEGIN")
                    found[source].execute("SELECT count(*) FROM sqlite_master")  # only a read opens the snapshot
            lock.execute("ROLLBACK")
        yield found


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(uri_of(path), uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {LOCK_MS}")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _copy(snapshot: sqlite3.Connection, name: str, target: Path) -> None:
    try:
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(f"{target}: cannot be made: {error.strerror}") from error
    try:
        with engine_errors(name), closing(sqlite3.connect(uri_of(target), uri=True, isolation_level=None)) as copy:
            snapshot.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise StorageDamaged(f"{name}: the file is damaged")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
