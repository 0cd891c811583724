"""The contract that every connector fulfils; tests/contract/test_connectors.py is the suite that each of them runs.

A connector reads one source of an agency (a folder of exports, a database) and yields what it finds as plain data. It
knows nothing of people or involvements: a mapping makes those of the fields. It never writes to the source.

The iterator blocks, so it is driven in a worker thread. What it yields:

- `SourceRecord`: one record of the source.
- `Rejected`: a record that the source itself could not yield (a ragged row, a null byte). The run goes on.
- `Cursor`: everything before it has been yielded. Stored with the batch, passed to `acknowledge` after the commit.

Guarantees: delivery is at least once and in a stable order; `records(cursor)` goes on after what that cursor covers
(it may repeat records, never leave one out); memory stays bounded whatever the source holds. A source that cannot be
read on raises `SourceError`; what came before it is good, and nothing may be concluded from what is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

FieldValue: TypeAlias = "str | list[FieldValue] | dict[str, FieldValue] | None"

BATCH_RECORDS = 500  # records between two cursors
MAX_VALUE_CHARS = 65_536  # of one value; real identifying fields and codes are a thousandth of it


class SourceError(Exception):
    """The source as a whole cannot be read; the message names what and where, and holds none of its values."""

    code = "source"


class SourceOptionError(SourceError):
    """An option of a connector is missing, unknown or wrong; the message names it."""

    code = "source-option"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an importer may rely on.

    `incremental`: a later run may start from the last cursor and gets what changed since, in the order of versions.
    `deletions`: "snapshot" - a record that a complete run from None no longer yields was deleted; "tombstone" - a
    deleted record comes once more with `deleted`; "none" - deletions cannot be noticed.
    """

    incremental: bool
    deletions: Literal["snapshot", "tombstone", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One record. `kind` is its type in the source (a table, an element, a file), `key` is unique per source and kind.

    `where` tells an engineer where to look, as in "tenants.csv line 7". `fields` of a tombstone may be empty.
    """

    kind: str
    key: str
    fields: dict[str, FieldValue]
    where: str
    version: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that could not be read. `reason` never quotes the record; `field` is empty where none is to blame."""

    where: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the source; `value` means something to the connector that made it only."""

    value: str


class Connector(Protocol):
    """One source, opened by `connectors.registry.build`."""

    @property
    def manifest(self) -> Manifest:
        """What an importer may rely on."""
        ...

    def records(self, since: Cursor | None) -> Iterator[SourceRecord | Rejected | Cursor]:
        """Yield everything, or what follows `since`; the last thing yielded is a cursor. Raises SourceError."""
        ...

    def acknowledge(self, cursor: Cursor) -> None:
        """Learn that all before `cursor` is stored durably."""
        ...

    def estimate(self) -> int | None:
        """How much there is to read in all, in the unit of `position()`; None when unknown. Raises SourceError."""
        ...

    def position(self) -> int:
        """How far the current run has read: bytes of files, rows of a database."""
        ...
