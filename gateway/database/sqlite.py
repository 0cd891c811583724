"""The Database contract on SQLite, through aiosqlite: one connection that writes and one that reads.

A unit of work runs wholly in the connection's thread, in one hop, from BEGIN to COMMIT or ROLLBACK. So a caller that is
cancelled leaves nothing open: what it asked for completes or fails as a whole, only nobody hears of it.

Reads that arrive while another is under way share the next hop and its snapshot: under load the hop and the locks of
three files cost more than what most questions read.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from gateway.database.contract import Row, Work
from gateway.database.sqlite_connection import (
    ENGINE_ERRORS,
    engine_errors,
    named,
    prepare_reader,
    prepare_writer,
    storage_error,
    uri_of,
)
from gateway.errors import StorageError

CACHED_STATEMENTS = 512
MAX_READS_TOGETHER = 64  # in one hop: some 20 ms of ordinary questions

T = TypeVar("T")


class SqliteDatabase:
    """One file, or one file with others attached for reading; made by `open_sqlite`."""

    def __init__(self, name: str, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        """`name` says in errors which file is meant."""
        self._name = name
        self._writer = writer
        self._reader = reader
        self._waiting: deque[tuple[Work[Any], asyncio.Future[Any]]] = deque()
        self._reading: asyncio.Task[None] | None = None

    async def read(self, work: Work[T]) -> T:
        """Drive read-only work on one snapshot of each file, which others may share; raises StorageError."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_waiting(), name="database reads")
        return await done

    async def write(self, work: Work[T]) -> T:
        """Drive work in one exclusive transaction, on disk when this returns; raises StorageError, nothing written."""
        return await _in_thread(
            self._writer, lambda connection: _drive(connection, work, "BEGIN IMMEDIATE", self._name), self._name
        )

    async def _read_waiting(self) -> None:
        """One hop after the other, each with all that has come meanwhile, until nothing waits."""
        try:
            while self._waiting:
                await self._read_together()
        finally:
            self._reading = None
            while self._waiting:  # only if this task was ended from outside
                self._waiting.popleft()[1].cancel()

    async def _read_together(self) -> None:
        waiting = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_READS_TOGETHER))]
        reads = [each for each in waiting if not each[1].done()]  # nobody waits for those that were cancelled
        works = [work for work, _ in reads]
        try:
            outcomes = await _in_thread(
                self._reader, lambda connection: _drive_all(connection, works, self._name), self._name
            )
        except StorageError as error:
            outcomes = [(None, error.again()) for _ in reads]
        except BaseException:
            for _, done in reads:
                done.cancel()
            raise
        for (_, done), (result, failure) in zip(reads, outcomes, strict=True):
            if done.done():  # cancelled meanwhile
                continue
            if failure is None:
                done.set_result(result)
            else:
                done.set_exception(failure)

    async def close(self) -> None:
        """Finish what is running and release files and threads; a second call does nothing."""
        try:
            if self._reading is not None:
                await asyncio.wait([self._reading])
            await self._reader.close()
        finally:
            await self._writer.close()  # last, so that it folds the write-ahead log into the file


async def open_sqlite(path: Path, *, schema: str, attach: Mapping[str, Path] | None = None) -> SqliteDatabase:
    """Open (or make, mode 0600) a database file and bring it to this program's version.

    `attach` adds other databases, opened before, to what `read` sees: unqualified table names are unique over them.
    Raises StorageError if a file is missing, damaged, of another schema, or newer than this program.
    """
    name = f"{schema} database {path.name}"
    _make_private(path, name)
    writer = await _connect(path, name)
    try:
        await _in_thread(writer, lambda connection: prepare_writer(connection, schema, name), name)
        reader = await _connect(path, name)
        try:
            await _in_thread(reader, lambda connection: prepare_reader(connection, attach or {}, name), name)
        except BaseException:
            await reader.close()
            raise
    except BaseException:
        await writer.close()
        raise
    return SqliteDatabase(name, writer, reader)


def _make_private(path: Path, name: str) -> None:
    """Make the file if need be, with mode 0600; SQLite gives the log files next to it the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise named(StorageError, name, f"cannot be opened: {error.strerror}") from error


async def _connect(path: Path, name: str) -> aiosqlite.Connection:
    with engine_errors(name):
        return await aiosqlite.connect(
            uri_of(path), uri=True, isolation_level=None, cached_statements=CACHED_STATEMENTS
        )


async def _in_thread(connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], T], name: str) -> T:
    """Run a function with the raw connection in its thread.

    The only use of aiosqlite's private parts: its public calls make one hop per statement, and a hop costs ten times
    what an indexed read costs. `_execute` queues a function, as those calls do themselves.
    """
    try:
        result: T = await connection._execute(  # type: ignore[no-untyped-call]  # aiosqlite leaves it untyped
            lambda: function(connection._conn)
        )
    except ValueError as error:
        if connection._connection is None:
            raise named(StorageError, name, "it is closed") from error
        raise
    return result


def _drive(connection: sqlite3.Connection, work: Work[T], begin: str, name: str) -> T:
    """Run a generator of statements in one transaction; commit when it returns, else roll back."""
    try:
        with engine_errors(name):
            connection.execute(begin)
        result = _run(connection, work, name)
        with engine_errors(name):
            connection.execute("COMMIT")
    except BaseException:
        work.close()
        _roll_back(connection)
        raise
    return result


def _drive_all(
    connection: sqlite3.Connection, works: Sequence[Work[Any]], name: str
) -> list[tuple[Any, BaseException | None]]:
    """Run generators that only read, all in one transaction; each has its own result or error."""
    outcomes: list[tuple[Any, BaseException | None]] = []
    try:
        for work in works:
            try:
                if not connection.in_transaction:  # the first, or the engine has ended it after an error
                    with engine_errors(name):
                        connection.execute("BEGIN")
                outcomes.append((_run(connection, work, name), None))
            except BaseException as error:  # whatever it is, it is told to this caller alone
                outcomes.append((None, error))
    finally:
        _roll_back(connection)  # nothing was written
    return outcomes


def _run(connection: sqlite3.Connection, work: Work[T], name: str) -> T:
    """Send a generator the rows of each of its statements until it returns."""
    execute = connection.execute
    rows: list[Row] | None = None
    while True:
        try:
            sql, params = work.send(rows)  # type: ignore[arg-type]  # a generator's first send must be None
        except StopIteration as finished:
            result: T = finished.value
            return result
        try:
            if isinstance(params, list):
                connection.executemany(sql, params)
                rows = []
            else:
                rows = execute(sql, params).fetchall()
        except ENGINE_ERRORS as error:
            work.close()
            raise storage_error(name, error) from None


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
            connection.rollback()
