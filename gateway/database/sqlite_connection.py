"""How each SQLite connection is set up: its options, its schema, and its errors in our words."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from gateway.database.migrate import SCHEMAS, pending
from gateway.errors import StorageDamaged, StorageError

BUSY_TIMEOUT_MS = 5000  # another process may hold the write lock while it commits a batch
CACHE_KIB = 64 * 1024  # holds the upper pages of every index of 1,000,000 people
MAX_WAL_BYTES = 64 * 1024 * 1024  # the log is cut back to this after a checkpoint

_APPLICATION_ID = 0x50570000  # "PW", plus the schema's number: a file opened as another schema is refused
_ATTACH = {
    "node": "ATTACH DATABASE ? AS node",
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


def uri_of(path: Path) -> str:
    """`mode=rw`: a file that has gone is an error, never silently made anew."""
    return f"{path.absolute().as_uri()}?mode=rw"


_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_NOT_UTF8 = "Could not decode to UTF-8"  # said by sqlite3 itself, without a code; no text of ours is anything else

ENGINE_ERRORS = (sqlite3.Error, UnicodeError, OverflowError)


def storage_error(name: str, error: BaseException) -> StorageError:
    """What is wrong, and never a value."""
    if not isinstance(error, sqlite3.Error):
        return named(StorageError, name, f"a value cannot be stored ({type(error).__name__})")
    code = getattr(error, "sqlite_errorname", type(error).__name__)
    if str(error).startswith(_NOT_UTF8):
        code = "SQLITE_CORRUPT"
    reason = next((text for start, text in _REASONS.items() if code.startswith(start)), "the statement failed")
    kind = StorageDamaged if code.startswith(_DAMAGED) else StorageError
    return named(kind, name, f"{reason} ({code})")


def named(kind: type[StorageError], name: str, reason: str) -> StorageError:
    """An error that says which file, and may be logged so: both are words of ours."""
    fault = f"{name}: {reason}"
    return kind(fault, fault=fault)


class engine_errors:
    """Turn the engine's errors into StorageError."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ENGINE_ERRORS):
            raise storage_error(self._name, error) from None


def prepare_writer(connection: sqlite3.Connection, schema: str, name: str) -> None:
    """Options and schema of the connection that writes; raises StorageError."""
    with engine_errors(name):
        _pragmas(connection)
        if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise named(StorageError, name, "the file system does not support a write-ahead log")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}")
        if schema == "keys":
            # An erased key must linger neither in free pages nor in the write-ahead log, however long we run.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 1")
            connection.execute("PRAGMA journal_size_limit = 0")
        _migrate(connection, schema, name)


def prepare_reader(connection: sqlite3.Connection, attach: Mapping[str, Path], name: str) -> None:
    """Options of the connection that reads, and the other databases that it sees; raises StorageError."""
    with engine_errors(name):
        for alias, path in attach.items():
            connection.execute(_ATTACH[alias], (uri_of(path),))
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
            raise named(StorageError, name, f"the file is not a Patchwork database of schema {schema}")
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
