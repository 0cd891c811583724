"""The beginning of an uploaded file: what its columns seem to mean, and its first rows as they would be stored.

One file is read at a time, in a thread of its own, for a workbook may take 768 MiB.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from connectors.contract import Cursor, Rejected, SourceError
from connectors.spreadsheet import Row, header_names, rows_of
from gateway.node.changes import TWICE
from gateway.node.uploaded import TOLD, Known, ListConnector, ListShape
from gateway.web.upload_store import Uploaded
from mappings.engine import Mapper
from mappings.guess import KIND, LOOKED_AT, Meaning, guess, header_at, mapping_of
from mappings.model import Mapped
from mappings.spec import read

SHOWN_ROWS: Final = 20
_HEADER_LOOK: Final = LOOKED_AT + 20
_READER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="upload")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The beginning of a file: its header, what its columns seem to mean, how many rows stand above."""

    header: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]  # of each column, the first values
    guessed: tuple[tuple[Meaning | None, str], ...]  # with how sure that is
    skip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One row as it would be stored, or what is wrong with it: the reason, and the column to look at.

    `typed` is what its cells say.
    """

    place: str
    objects: tuple[Mapped, ...]
    problems: tuple[tuple[str, str], ...]  # field and reason
    refused: bool
    typed: Mapping[Meaning, str]


async def look(path: Path, skip: int | None = None) -> Look:
    """A file's beginning, its header below `skip` rows or, without that, where it seems to be; raises SourceError."""
    return await _in_turn(partial(_look, path, skip))


async def preview(path: Path, upload: Uploaded, known: Known) -> tuple[list[Shown], bool]:
    """Its first rows as they would be stored, and whether these are all; raises SourceError."""
    shape = ListShape(skip=upload.skip, columns=upload.columns, service=upload.service)
    return await _in_turn(partial(_preview, path, shape, known))


async def _in_turn(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_READER, work)


def _look(path: Path, skip: int | None) -> Look:
    with closing(rows_of(path, name=TOLD)) as rows:
        first = [row.cells for row in islice(rows, _HEADER_LOOK) if isinstance(row, Row)]
    at = header_at(first) if skip is None else skip
    header = header_names(first[at]) if at < len(first) else []
    if not header:
        raise SourceError(f"{TOLD}: there is no header row")
    below = first[at + 1 :]
    columns = [[row[column].strip() for row in below if column < len(row)] for column in range(len(header))]
    return Look(
        header=tuple(header),
        samples=tuple(tuple(islice(filter(None, values), 3)) for values in columns),
        guessed=tuple((each.meaning, each.confidence.value) for each in guess(header, below)),
        skip=at,
    )


def _preview(path: Path, shape: ListShape, known: Known) -> tuple[list[Shown], bool]:
    mapper = Mapper(read(mapping_of(shape.columns), "list"))
    shown: list[Shown] = []
    seen: set[str] = set()
    rows = ListConnector(path, shape, known)
    with closing(rows.records(None)) as items:
        for item in items:
            if isinstance(item, Cursor):
                continue
            if len(shown) >= SHOWN_ROWS:
                return shown, False
            objects: list[Mapped] = []
            if isinstance(item, Rejected):
                problems = [(item.field, item.reason)]
            else:
                objects, issues = mapper.apply(KIND, item.fields)
                problems = [(issue.field, issue.reason) for issue in issues]
                if item.key in seen:
                    objects, problems = [], [("", TWICE)]
                seen.add(item.key)
            shown.append(
                Shown(
                    place=item.where,
                    objects=tuple(objects),
                    problems=tuple(problems),
                    refused=not objects,
                    typed=rows.latest,
                )
            )
    return shown, True
