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
from gateway.database.migrate import SCHEMAS, pending
from gateway.errors import StorageError

BUSY_TIMEOUT_MS = 5000  # another process may hold the write lock while it commits a batch
CACHE_KIB = 64 * 1024  # holds the upper pages of every index of 1,000,000 people
MAX_WAL_BYTES = 64 * 1024 * 1024  # the log is cut back to this after a checkpoint
CACHED_STATEMENTS = 512
MAX_READS_TOGETHER = 64  # in one hop: some 20 ms of ordinary questions

_APPLICATION_ID = 0x50570000  # "PW", plus the schema's number: a file opened as another schema is refused
_ATTACH = {
    "ledger": "ATTACH DATABASE ? AS ledger",
    "keys": "ATTACH DATABASE ? AS keys",
}
_REASONS = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": "it is locked by another process",
    "SQLITE_LOCKED": "it is locked by another process",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_NOTADB": "the file is not a database",
    "SQLITE_READONLY": "the disk or the file is read-only",
    "SQLITE_IOERR": "the disk reports an error",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_CONSTRAINT": "a constraint does not hold",
}

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
            self._writer, lambda connection: _drive(connection, work, "BEGIN IMMEDIATE", self._name)
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
            outcomes = await _in_thread(self._reader, lambda connection: _drive_all(connection, works, self._name))
        except StorageError as error:
            outcomes = [(None, StorageError(str(error))) for _ in reads]
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
        await _in_thread(writer, lambda connection: _prepare_writer(connection, schema, name))
        reader = await _connect(path, name)
        try:
            await _in_thread(reader, lambda connection: _prepare_reader(connection, attach or {}, name))
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
        raise StorageError(f"{name}: cannot be opened: {error.strerror}") from error


def _uri(path: Path) -> str:
    """`mode=rw`: a file that has gone is an error, never silently made anew."""
    return f"{path.absolute().as_uri()}?mode=rw"


async def _connect(path: Path, name: str) -> aiosqlite.Connection:
    with _engine_errors(name):
        return await aiosqlite.connect(_uri(path), uri=True, isolation_level=None, cached_statements=CACHED_STATEMENTS)


async def _in_thread(connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
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
            raise StorageError("database is closed") from error
        raise
    return result


def _drive(connection: sqlite3.Connection, work: Work[T], begin: str, name: str) -> T:
    """Run a generator of statements in one transaction; commit when it returns, else roll back."""
    try:
        with _engine_errors(name):
            connection.execute(begin)
        result = _run(connection, work, name)
        with _engine_errors(name):
            connection.execute("COMMIT")
    except BaseException:
        work.close()
        _roll_back(connection)
        raise
    return result


def _drive_all(
    connection: sqlite3.Connection, works: Sequence[Work[Any]], name: str
) -> list[tuple[Any, Exception | None]]:
    """Run generators that only read, all in one transaction; each has its own result or error."""
    outcomes: list[tuple[Any, Exception | None]] = []
    try:
        for work in works:
            try:
                if not connection.in_transaction:  # the first, or the engine has ended it after an error
                    with _engine_errors(name):
                        connection.execute("BEGIN")
                outcomes.append((_run(connection, work, name), None))
            except Exception as error:
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
        except _ENGINE_ERRORS as error:
            work.close()
            raise _storage_error(name, error) from None


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # the first error is the one to tell
            connection.rollback()


_ENGINE_ERRORS = (sqlite3.Error, UnicodeError, OverflowError)


def _storage_error(name: str, error: BaseException) -> StorageError:
    """What is wrong, and never a value."""
    if not isinstance(error, sqlite3.Error):
        return StorageError(f"{name}: a value cannot be stored ({type(error).__name__})")
    code = getattr(error, "sqlite_errorname", type(error).__name__)
    reason = next((text for start, text in _REASONS.items() if code.startswith(start)), "the statement failed")
    return StorageError(f"{name}: {reason} ({code})")


class _engine_errors:
    """Turn the engine's errors into StorageError."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _ENGINE_ERRORS):
            raise _storage_error(self._name, error) from None


def _prepare_writer(connection: sqlite3.Connection, schema: str, name: str) -> None:
    with _engine_errors(name):
        _pragmas(connection)
        if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise StorageError(f"{name}: the file system does not support a write-ahead log")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}")
        if schema == "keys":
            # An erased key must linger neither in free pages nor in the write-ahead log, however long we run.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 1")
            connection.execute("PRAGMA journal_size_limit = 0")
        _migrate(connection, schema, name)


def _prepare_reader(connection: sqlite3.Connection, attach: Mapping[str, Path], name: str) -> None:
    with _engine_errors(name):
        for alias, path in attach.items():
            connection.execute(_ATTACH[alias], (_uri(path),))
        _pragmas(connection)
        connection.execute("PRAGMA query_only = ON")


def _pragmas(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA temp_store = MEMORY")  # no personal data in temporary files
    connection.execute("PRAGMA trusted_schema = OFF")


def _migrate(connection: sqlite3.Connection, schema: str, name: str) -> None:
    """Apply what is missing in one transaction, so that two processes that open a new file do not both do it."""
    application_id = _APPLICATION_ID + SCHEMAS.index(schema) + 1
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        (applied,) = connection.execute("PRAGMA user_version").fetchone()
        if found != application_id and (found or applied or _has_tables(connection)):
            raise StorageError(f"{name}: the file is not a Patchwork database of schema {schema}")
        for migration in pending("sqlite", schema, applied):
            for statement in _statements(migration.sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {migration.number:d}")
        connection.execute(f"PRAGMA application_id = {application_id:d}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.rollback()


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None


def _statements(sql: str) -> list[str]:
    """Split a migration into statements; sqlite3's own `executescript` would commit after each."""
    found: list[str] = []
    rest = ""
    for line in sql.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    if rest.strip():
        raise StorageError("a migration ends in the middle of a statement")
    return found
