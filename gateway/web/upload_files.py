"""Uploaded files on their way into the register: kept in a folder of their own, read in threads, one at a time.

A file lies in `uploads` below the node's data, readable for the node alone, until it has been imported; then the rows
that were refused lie there as CSV. After a day, or when somebody says so, neither does.
"""

import asyncio
import contextlib
import csv
import io
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

from connectors.contract import Rejected, SourceError, SourceRecord
from connectors.spreadsheet import Row, header_names, rows_of
from gateway.database.contract import Database, Statement, Work
from gateway.errors import InputError, StorageError
from gateway.events import emit
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportCounts, ImportSource, run_import
from gateway.node.native import UPLOADED
from gateway.node.parts import NodeParts
from gateway.node.uploaded import TOLD, Known, ListConnector, ListShape, escaped, known_rows
from gateway.web.upload_store import Uploaded, set_state, sweep
from mappings.engine import Mapper
from mappings.guess import KIND, LOOKED_AT, Meaning, guess, header_at, mapping_of
from mappings.model import Mapped
from mappings.spec import read

SHOWN_ROWS: Final = 20
_FOLDER: Final = "uploads"
_HEADER_LOOK: Final = LOOKED_AT + 20

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
    """One row as it would be stored, or what is wrong with it: the reason, and the column to look at."""

    place: str
    objects: tuple[Mapped, ...]
    problems: tuple[tuple[str, str], ...]  # field and reason
    refused: bool


class Uploads:
    """The files and imports of one node."""

    def __init__(self, node: NodeParts, database: Database, data: Path) -> None:
        """`database`: web.db."""
        self._node = node
        self._database = database
        self._folder = data / _FOLDER
        self._one = asyncio.Semaphore(1)  # each may take 768 MiB while it is unpacked
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, int] = {}

    async def keep(self, content: bytes) -> str:
        """Keep a file; returns the id that it goes by from now on. Raises StorageError."""
        public_id = secrets.token_hex(16)
        try:
            await asyncio.to_thread(self._write, self._path(public_id), content)
        except OSError as error:
            raise StorageError("an uploaded file cannot be kept") from error
        return public_id

    async def discard(self, public_id: str) -> None:
        """Remove a file and what became of it."""
        await asyncio.to_thread(self._unlink, public_id)

    async def look(self, public_id: str, skip: int | None = None) -> Look:
        """Its beginning; raises SourceError if it cannot be used."""
        return await self._in_turn(lambda: _look(self._path(public_id), skip))

    async def preview(self, upload: Uploaded, known: Known) -> list[Shown]:
        """The first rows as they would be stored; raises SourceError."""
        return await self._in_turn(lambda: _preview(self._path(upload.public_id), _shape(upload), known))

    def is_running(self, public_id: str) -> bool:
        """Whether an import of it is under way."""
        return public_id in self._running

    def progress(self, public_id: str) -> int:
        """How much of it has been read, in per cent."""
        return self._progress.get(public_id, 0)

    def start(self, upload: Uploaded) -> None:
        """Import it, whatever the browser does; the result stands with the upload when it is over."""
        task = asyncio.create_task(self._import(upload))
        self._running[upload.public_id] = task
        task.add_done_callback(lambda _: self._running.pop(upload.public_id, None))

    async def refused(self, public_id: str) -> bytes | None:
        """The rows that were refused, as CSV; None if there are none."""
        path = self._refused(public_id)
        return await asyncio.to_thread(lambda: path.read_bytes() if path.exists() else None)

    async def tidy(self, now: float) -> None:
        """Forget what is a day old, and remove files of which nothing is known."""
        kept = await self._database.write(sweep(now))
        await asyncio.to_thread(self._remove_others, kept | self._running.keys())

    async def close(self) -> None:
        """Stop imports; they can be begun again."""
        for task in tuple(self._running.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _import(self, upload: Uploaded) -> None:
        result: dict[str, Any]
        try:
            async with self._one:
                counts, listed = await self._store(upload)
            result, state = {**counts, "listed": listed}, "done"
        except (InputError, SourceError) as error:
            result, state = {"code": error.code}, "failed"
        except StorageError as error:
            result, state = {"code": error.code}, "failed"
        finally:
            self._progress.pop(upload.public_id, None)
        await self._database.write(set_state(upload, state, result, before="running"))
        await asyncio.to_thread(self._path(upload.public_id).unlink, missing_ok=True)

    async def _store(self, upload: Uploaded) -> tuple[dict[str, int], int]:
        """Run the import, then put the rows that it refused into a file; returns counts, and how many are in it."""
        path, shape = self._path(upload.public_id), _shape(upload)
        known = await self._database.read(known_rows())

        def tell(position: int, total: int | None, counts: ImportCounts) -> None:
            self._progress[upload.public_id] = 100 * position // total if total else 0

        name = f"{UPLOADED}{upload.list_id}"
        report = await run_import(
            ImportSource(
                name=name,
                federation=self._node.me.federation,
                connector=ListConnector(path, shape, known),
                mapping=read(mapping_of(shape.columns), "list"),
            ),
            database=self._node.database,
            record_consents=_no_consents,
            clock=self._node.clock,
            progress=tell,
        )
        reasons = await self._database.read(_refused_rows(name))
        listed = 0
        if reasons:
            listed = await asyncio.to_thread(self._write_refused, upload, shape, reasons)
        return asdict(report.counts), listed

    def _write_refused(self, upload: Uploaded, shape: ListShape, reasons: Mapping[str, str]) -> int:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        written = 0
        with closing(rows_of(self._path(upload.public_id), name=TOLD)) as rows:
            for number, row in enumerate(islice(rows, shape.skip, None)):
                if number == 0 and isinstance(row, Row):
                    writer.writerow([*map(escaped, row.cells[: len(upload.header)]), REASON_COLUMN])
                elif isinstance(row, Row) and row.where in reasons:
                    cells = (row.cells + [""] * len(upload.header))[: len(upload.header)]
                    writer.writerow([*map(escaped, cells), escaped(reasons[row.where])])
                    written += 1
        self._write(self._refused(upload.public_id), text.getvalue().encode("utf-8-sig"))
        return written

    async def _in_turn(self, work: Callable[[], T]) -> T:
        async with self._one:
            return await asyncio.to_thread(work)

    def _path(self, public_id: str) -> Path:
        return self._folder / public_id

    def _refused(self, public_id: str) -> Path:
        return self._folder / f"{public_id}.refused"

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)

    def _unlink(self, public_id: str) -> None:
        self._path(public_id).unlink(missing_ok=True)
        self._refused(public_id).unlink(missing_ok=True)

    def _remove_others(self, kept: frozenset[str]) -> None:
        for path in self._folder.glob("*"):
            if path.name.partition(".")[0] not in kept:
                path.unlink(missing_ok=True)


REASON_COLUMN: Final = "What is wrong"


def _shape(upload: Uploaded) -> ListShape:
    return ListShape(skip=upload.skip, columns=upload.columns, service=upload.service)


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


def _preview(path: Path, shape: ListShape, known: Known) -> list[Shown]:
    mapper = Mapper(read(mapping_of(shape.columns), "list"))
    shown: list[Shown] = []
    seen: set[str] = set()
    with closing(iter(ListConnector(path, shape, known).records(None))) as items:  # type: ignore[type-var]  # a generator
        for item in items:
            if len(shown) >= SHOWN_ROWS:
                break
            if isinstance(item, Rejected):
                shown.append(Shown(place=item.where, objects=(), problems=((item.field, item.reason),), refused=True))
            elif isinstance(item, SourceRecord):
                objects, issues = mapper.apply(KIND, item.fields)
                problems = [(issue.field, issue.reason) for issue in issues]
                if item.key in seen:
                    objects, problems = [], [("", "another record of this run has the same kind and key")]
                seen.add(item.key)
                shown.append(
                    Shown(place=item.where, objects=tuple(objects), problems=tuple(problems), refused=not objects)
                )
    return shown


def _refused_rows(source: str) -> Work[dict[str, str]]:
    """Reasons by place, of the rows that this source's last run refused."""
    rows: Sequence[Sequence[Any]] = yield Statement(
        "SELECT r.place, r.field, r.reason FROM rejected_record r JOIN import_source s ON s.current_run = r.run_id "
        "WHERE s.name = ? AND r.whole_record = 1 ORDER BY r.id",
        (source,),
    )
    return {place: f"{field}: {reason}" if field else reason for place, field, reason in rows}


async def _no_consents(consents: Sequence[ImportedConsent]) -> None:
    """A list says nothing of consent."""
    if consents:
        emit("import.refused", source="upload", code="consents")
        raise InputError("a list holds statements of consent")
