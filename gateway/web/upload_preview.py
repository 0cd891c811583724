"""The beginning of an uploaded file: what its columns seem to mean, and its first rows as they would be stored.

One file is read at a time, in a thread of its own, for a workbook may take 768 MiB. Whoever hangs up does not end a
reading that has begun, so each has an end of its own, and few may wait.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from connectors.contract import Cursor, Rejected, SourceError
from connectors.spreadsheet import Row, header_names, rows_of
from gateway.errors import TooManyRequests
from gateway.node.changes import TWICE
from gateway.node.uploaded import TOLD, Known, ListConnector, ListShape
from gateway.web.upload_store import Uploaded
from mappings.engine import Mapper
from mappings.guess import KIND, LOOKED_AT, Meaning, guess, header_at, mapping_of
from mappings.model import Mapped
from mappings.spec import read

SHOWN_ROWS: Final = 20
_HEADER_LOOK: Final = LOOKED_AT + 20
READ_S: Final = 20.0  # to the end of a workbook, whose rows are known only then; at its limits it takes some 5
MAX_WAITING: Final = 10  # readings in the whole node, with the one under way
MAX_WAITING_EACH: Final = 2  # of one session
_READER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="upload")
_waiting: Final[dict[Future[Any], str]] = {}  # each reading, and the session that waits for it

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


async def look(path: Path, skip: int | None = None, *, owner: str) -> Look:
    """A file's beginning, its header below `skip` rows or, without that, where it seems to be; for a session.

    Raises SourceError, and TooManyRequests if others wait already.
    """
    return await _in_turn(partial(_look, path, skip), owner)


async def preview(path: Path, upload: Uploaded, known: Known, *, owner: str) -> tuple[list[Shown], bool]:
    """Its first rows as they would be stored, and whether these are all, for a session.

    Raises SourceError and TooManyRequests, as look() does.
    """
    shape = ListShape(skip=upload.skip, columns=upload.columns, service=upload.service)
    return await _in_turn(partial(_preview, path, shape, known), owner)


async def _in_turn(work: Callable[[], T], owner: str) -> T:
    waiting = list(_waiting.values())
    if len(waiting) >= MAX_WAITING or waiting.count(owner) >= MAX_WAITING_EACH:
        raise TooManyRequests("other uploaded files wait to be read", retry_after_s=READ_S)
    reading: Future[T] = _READER.submit(work)
    _waiting[reading] = owner
    reading.add_done_callback(_waiting.pop)  # read to the end, or its turn never came
    return await asyncio.wrap_future(reading)


def _look(path: Path, skip: int | None) -> Look:
    with closing(rows_of(path, name=TOLD, within_s=READ_S)) as rows:
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
    rows = ListConnector(path, shape, known, within_s=READ_S)
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
