"""Any database that SQLAlchemy reaches: a table or a SELECT for each kind of record. It only reads.

Options (docs/connecting-a-case-system.md): url, password_file, kinds.<kind>.{table,query,key,version,deleted}.
With `version` columns (a number or time that grows with each change) a later run reads only what changed since.
No message has the URL's user or password, nor what a driver says, which may quote data: its class and SQLSTATE do.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from connectors.contract import BATCH_RECORDS, Cursor, Manifest, Rejected, SourceError, SourceRecord
from connectors.options import Options, joined_key
from connectors.sql_read_only import connected
from connectors.sql_rows import Kind, bound_version, read_kind, row_fields, statement, version_of

_DELETED = frozenset({"1", "y", "yes", "true", "t"})


class SqlConnector:
    """Reads one database. Kinds are read in the order of the options, each in the order of version and key."""

    def __init__(self, options: Mapping[str, Any], expects: Mapping[str, frozenset[str]]) -> None:
        given = Options("sql", options)
        self._url = _url(given)
        # Neither user, password nor parameters (a driver may take a password there), so that it can be shown.
        shown = sa.URL.create(
            self._url.get_backend_name(), host=self._url.host, port=self._url.port, database=self._url.database
        )
        self._name = shown.render_as_string()
        kinds = given.kinds(expects)
        given.done()
        self._kinds = [read_kind(kind, kinds[kind], expects[kind]) for kind in kinds]
        versioned = {bool(kind.version) for kind in self._kinds}
        if len(versioned) > 1:
            given.fail("option 'version' must be given for all kinds or for none")
        self._incremental = versioned == {True}
        tombstones = all(kind.deleted for kind in self._kinds)
        self.manifest = Manifest(
            incremental=self._incremental,
            deletions="tombstone" if tombstones else "snapshot",
        )
        self._rows = 0

    def records(self, since: Cursor | None) -> Iterator[SourceRecord | Rejected | Cursor]:
        """Yield all rows, or those of the version of `since` and later; raises SourceError."""
        self._rows = 0
        places = self._places(since)
        with self._connected() as connection:
            for kind in self._kinds:
                if not self._incremental and kind.kind in places:
                    continue
                yield from self._of_kind(connection, kind, places)
                places.setdefault(kind.kind, [])
                yield _cursor(places)

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to tell: the database stays as it is."""

    def estimate(self) -> int:
        """Rows of all kinds in a complete run; raises SourceError."""
        with self._connected() as connection:
            total = 0
            for kind in self._kinds:
                with self._explained(f"counting {kind.kind!r}"):
                    counted = sa.select(sa.func.count()).select_from(statement(kind, None).order_by(None).subquery())
                    total += int(connection.execute(counted).scalar_one())
            return total

    def position(self) -> int:
        """Rows read in this run."""
        return self._rows

    def _of_kind(
        self, connection: sa.Connection, kind: Kind, places: dict[str, list[str]]
    ) -> Iterator[SourceRecord | Rejected | Cursor]:
        """Yield one kind; `places` follows its versions, so that cursors can be made of it."""
        since = bound_version(places[kind.kind]) if places.get(kind.kind) else None
        number = 0
        with self._explained(f"reading {kind.kind!r}"):
            result = connection.execution_options(stream_results=True, yield_per=BATCH_RECORDS).execute(
                statement(kind, since)
            )
            self._check_columns(kind, frozenset(result.keys()))
        with result:
            while True:
                with self._explained(f"reading {kind.kind!r} after {number} rows"):
                    row = result.mappings().fetchone()
                if row is None:
                    return
                number += 1
                self._rows += 1
                yield self._record(kind, {str(name): value for name, value in row.items()}, f"{kind.kind} row {number}")
                if kind.version and row[kind.version] is not None:
                    places[kind.kind] = version_of(row[kind.version], kind)
                if number % BATCH_RECORDS == 0:
                    yield (
                        _cursor(places)
                        if self._incremental
                        else _cursor({done: place for done, place in places.items() if done != kind.kind})
                    )

    def _record(self, kind: Kind, row: Mapping[str, Any], where: str) -> SourceRecord | Rejected:
        fields = row_fields(row, where)
        if isinstance(fields, Rejected):
            return fields
        key = joined_key([str(fields[column] or "").strip() for column in kind.key])
        if not key:
            return Rejected(where=where, field=" + ".join(kind.key), reason="the key is empty")
        deleted = str(fields[kind.deleted] or "").strip().casefold() in _DELETED if kind.deleted else False
        version = str(fields[kind.version]) if kind.version and fields[kind.version] is not None else None
        return SourceRecord(kind=kind.kind, key=key, fields=fields, where=where, version=version, deleted=deleted)

    def _check_columns(self, kind: Kind, found: frozenset[str]) -> None:
        for column in sorted(kind.columns):
            if column not in found:
                raise SourceError(f"{self._name}: {kind.kind!r} has no column {column!r}")

    def _places(self, since: Cursor | None) -> dict[str, list[str]]:
        """Where `since` stands, by kind; raises SourceError if it is not one of ours."""
        if since is None:
            return {}
        try:
            places = dict(json.loads(since.value))
            known = {kind.kind: [str(x) for x in places[kind.kind]] for kind in self._kinds if kind.kind in places}
        except (ValueError, TypeError):
            raise SourceError(f"{self._name}: the cursor is not one of this source") from None
        # Without versions a finished run says nothing about the next one: that reads everything.
        return {} if not self._incremental and len(known) == len(self._kinds) else known

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with self._explained("connecting"):
            manager = connected(self._url)
            connection = manager.__enter__()
        try:
            yield connection
        finally:
            with self._explained("closing"):  # a connection that was lost cannot be rolled back
                manager.__exit__(None, None, None)

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Turn the errors of SQLAlchemy and of drivers into SourceError, without their texts."""
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None)
            state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
            problem = type(cause or error).__name__ + (f", SQLSTATE {state}" if state else "")
            raise SourceError(f"{self._name}: {doing} failed ({problem})") from None
        except ModuleNotFoundError as error:
            raise SourceError(f"{self._name}: the driver {error.name!r} is not installed") from None
        except OSError as error:
            raise SourceError(f"{self._name}: {doing} failed ({error.strerror or type(error).__name__})") from None


def _cursor(places: Mapping[str, list[str]]) -> Cursor:
    return Cursor(json.dumps(places, sort_keys=True))


def _url(given: Options) -> sa.URL:
    """The URL, its password from a file if that is configured; raises SourceOptionError without quoting it."""
    text = given.text("url")
    try:
        url = sa.make_url(text)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        given.fail("option 'url' is not a database URL that SQLAlchemy knows")
    except ModuleNotFoundError as error:
        given.fail(f"option 'url': the driver {error.name!r} is not installed")
    if not given.has("password_file"):
        return url
    try:
        return url.set(password=given.path("password_file").read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        given.fail("option 'password_file' cannot be read")
