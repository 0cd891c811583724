"""Uploaded files on their way into the register: read one at a time, imported in a process apart (upload_import.py).

A file lies in `uploads` below the node's data, readable for the node alone, until it has been imported; then the rows
that were refused lie there as CSV. After a day, or when somebody says so, neither does.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

import gateway
from connectors.contract import Rejected, SourceError, SourceRecord
from connectors.spreadsheet import Row, header_names, rows_of
from gateway.database.contract import Database
from gateway.errors import StorageError
from gateway.node.changes import TWICE
from gateway.node.native import UPLOADED
from gateway.node.parts import NodeParts
from gateway.node.uploaded import TOLD, Known, ListConnector, ListShape
from gateway.web import upload_import
from gateway.web.upload_import import Job
from gateway.web.upload_store import Uploaded, set_state, sweep
from mappings.engine import Mapper
from mappings.guess import KIND, LOOKED_AT, Meaning, guess, header_at, mapping_of
from mappings.model import Mapped
from mappings.spec import read

SHOWN_ROWS: Final = 20
_FOLDER: Final = "uploads"
_HEADER_LOOK: Final = LOOKED_AT + 20

_IMPORTED_FROM: Final = str(Path(gateway.__file__).parent.parent)  # so that the process runs this very program

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
        self._data = data.resolve()
        self._folder = self._data / _FOLDER
        # One at a time of each, for a workbook may take 768 MiB; a page does not wait for an import.
        self._looking = asyncio.Semaphore(1)
        self._importing = asyncio.Semaphore(1)
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
        async with self._importing:
            result = await self._process(upload)
        self._progress.pop(upload.public_id, None)
        state = "failed" if "code" in result else "done"
        await self._database.write(set_state(upload, state, result, before="running"))
        await asyncio.to_thread(self._path(upload.public_id).unlink, missing_ok=True)

    async def _process(self, upload: Uploaded) -> dict[str, Any]:
        """Import it in a process of its own; returns counts, or a code if it did not come to its end."""
        job = Job(
            database=str(self._data / "node.db"),
            federation=self._node.me.federation,
            source=f"{UPLOADED}{upload.list_id}",
            file=str(self._path(upload.public_id)),
            refused=str(self._refused(upload.public_id)),
            skip=upload.skip,
            columns={meaning.value: at for meaning, at in upload.columns.items()},
            service=upload.service,
            width=len(upload.header),
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", upload_import.__name__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, (_IMPORTED_FROM, os.environ.get("PYTHONPATH")))),
            },
        )
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(orjson.dumps(asdict(job)))
            process.stdin.close()
            said: dict[str, Any] = {}
            async for line in process.stdout:
                said = orjson.loads(line)
                self._progress[upload.public_id] = said.get("percent", 100)
            await process.wait()
        finally:
            if process.returncode is None:  # the node stops
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if "code" in said:
            return {"code": said["code"]}
        return {**said["counts"], "listed": said["listed"]} if "counts" in said else {"code": "stopped"}

    async def _in_turn(self, work: Callable[[], T]) -> T:
        async with self._looking:
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
    with closing(ListConnector(path, shape, known).records(None)) as items:
        for item in items:
            if len(shown) >= SHOWN_ROWS:
                break
            if isinstance(item, Rejected):
                shown.append(Shown(place=item.where, objects=(), problems=((item.field, item.reason),), refused=True))
            elif isinstance(item, SourceRecord):
                objects, issues = mapper.apply(KIND, item.fields)
                problems = [(issue.field, issue.reason) for issue in issues]
                if item.key in seen:
                    objects, problems = [], [("", TWICE)]
                seen.add(item.key)
                shown.append(
                    Shown(place=item.where, objects=tuple(objects), problems=tuple(problems), refused=not objects)
                )
    return shown
