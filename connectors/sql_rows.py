"""One kind of record of a database: its options, its statement, and its rows as plain text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from connectors.contract import MAX_VALUE_CHARS, FieldValue, Rejected, SourceError
from connectors.options import Options
from connectors.sql_read_only import why_not_a_query


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A table (perhaps with its schema, as in `dbo.client`) or a query, one of them empty."""

    kind: str
    table: str
    query: str
    key: tuple[str, ...]
    version: str
    deleted: str
    columns: frozenset[str]  # that must be in the result


def read_kind(kind: str, given: Options, expects: frozenset[str]) -> Kind:
    """Read the options of one kind; raises SourceOptionError."""
    table, query = given.text("table", ""), given.text("query", "")
    key, version, deleted = given.texts("key"), given.text("version", ""), given.text("deleted", "")
    given.done()
    if bool(table) == bool(query):
        given.fail("give either option 'table' or option 'query'")
    if query and (problem := why_not_a_query(query)):
        given.fail(f"option 'query' {problem}")
    columns = expects | set(key) | ({version, deleted} - {""})
    return Kind(
        kind=kind, table=table, query=query, key=key, version=version, deleted=deleted, columns=frozenset(columns)
    )


def statement(kind: Kind, since: object | None) -> sa.Select[Any]:
    """The SELECT for a kind, in the order of version and key; `since` is bound, never part of the text."""
    source: sa.FromClause
    if kind.table:
        schema, _, name = kind.table.rpartition(".")
        source = sa.table(name, schema=schema or None)
    else:
        query = kind.query.strip().removesuffix(";").replace("\\", "\\\\").replace(":", "\\:")  # no :parameters in it
        source = sa.text(query).columns().subquery("source")
    selected = sa.select(sa.text("*")).select_from(source)
    if kind.version and since is not None:
        # Not `>`: rows of the same version may have been written after the last run. They come again, unchanged.
        selected = selected.where(sa.column(kind.version) >= sa.literal(since))
    order = ([kind.version] if kind.version else []) + list(kind.key)
    return selected.order_by(*(sa.column(name) for name in order))


def version_of(value: object, kind: Kind) -> list[str]:
    """A version as a cursor keeps it: its type and text; raises SourceError for a type that has no order."""
    match value:
        case bool():
            pass
        case int() | Decimal():
            return ["number", str(value)]
        case str():
            return ["text", value]
        case datetime():
            return ["time", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case bytes():
            return ["bytes", value.hex()]
    raise SourceError(f"kind {kind.kind!r}: the version column {kind.version!r} is neither number, time nor text")


def bound_version(place: list[str]) -> object:
    """The value that `version_of` was given; raises SourceError if this is none of its results."""
    try:
        form, text = place
        match form:
            case "number":
                return Decimal(text) if "." in text else int(text)
            case "text":
                return text
            case "time":
                return datetime.fromisoformat(text)
            case "date":
                return date.fromisoformat(text)
            case "bytes":
                return bytes.fromhex(text)
    except (ValueError, ArithmeticError):
        pass
    raise SourceError("the cursor is not one of this source")


def row_fields(row: Mapping[str, Any], where: str) -> dict[str, FieldValue] | Rejected:
    """The values of a row as text: dates 2014-03-09, times 2014-03-09 14:30:00, truth 1 or 0."""
    fields: dict[str, FieldValue] = {}
    for name, value in row.items():
        match value:
            case None | str():
                fields[name] = value
            case bool():
                fields[name] = "1" if value else "0"
            case datetime():
                fields[name] = value.isoformat(sep=" ", timespec="seconds")
            case int() | float() | Decimal() | date() | time() | UUID():
                fields[name] = str(value)
            case bytes() | memoryview():
                fields[name] = bytes(value[: MAX_VALUE_CHARS + 1]).hex()  # a row version, an identifier
            case _:
                return Rejected(where=where, field=name, reason=f"a value of type {type(value).__name__}")
        text = fields[name]
        if isinstance(text, str) and (len(text) > MAX_VALUE_CHARS or "\0" in text):
            problem = "holds a null byte" if "\0" in text else f"longer than {MAX_VALUE_CHARS} characters"
            return Rejected(where=where, field=name, reason=problem)
    return fields
