"""The contract that every database engine fulfils; tests/contract/ holds the suite that each implementation runs.

A unit of work is a *generator of statements*: it yields `Statement(sql, params)`, is sent the rows as a list of tuples,
and returns its result. So one function serves SQLite (driven in one thread hop) and PostgreSQL (on one connection):

    def involvement_count(person_id: int) -> Work[int]:
        rows = yield Statement("SELECT count(*) FROM involvement WHERE person_id = ?", (person_id,))
        return rows[0][0]

    count = await database.read(involvement_count(7))

SQL is plain, with `?` for values; a value never becomes part of it. `params` as a *list of tuples* runs the statement
once for each (and sends back no rows).
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

Value = None | int | float | str | bytes
Row = tuple[Any, ...]


class Statement(NamedTuple):
    """One SQL statement: `params` a tuple for one run, a list of tuples for many."""

    sql: str
    params: Sequence[Value] | Sequence[tuple[Value, ...]] = ()


T = TypeVar("T")
# Yielded as a plain pair so that consent_ledger, which imports nothing of the gateway, can yield its own.
Work = Generator[tuple[str, Sequence[Value] | Sequence[tuple[Value, ...]]], list[Row], T]


class Database(Protocol):
    """Guarantees: `read` sees one snapshot; `write` is one transaction that is on disk when it returns, or nothing.

    An exception raised by the work rolls back and is passed on as it is; the engine's own become StorageError.
    """

    async def read(self, work: Work[T]) -> T:
        """Drive read-only work; raises StorageError."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Drive work in one exclusive, durable transaction; raises StorageError, with nothing written."""
        ...

    async def close(self) -> None:
        """Finish what is running and release every file and thread."""
        ...
