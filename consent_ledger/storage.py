"""What the ledger needs of a database."""

from collections.abc import Generator, Sequence
from typing import Any, Protocol, TypeVar

Value = None | int | float | str | bytes
Row = tuple[Any, ...]
T = TypeVar("T")
Work = Generator[tuple[str, Sequence[Value] | list[tuple[Value, ...]]], list[Row], T]


class Storage(Protocol):
    """What the ledger needs of a database: a generator of (sql, params) is driven and sent the rows of each.

    `write` is one exclusive transaction, on disk when it returns, or nothing written and an exception. Exceptions
    raised by the work itself pass through.
    """

    async def read(self, work: Work[T]) -> T:
        """Drive read-only work on one snapshot."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Drive work in one durable transaction."""
        ...
