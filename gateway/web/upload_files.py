"""Uploaded files on their way into the register: kept, imported in a process apart, forgotten.

A file lies in `uploads` below the node's data, readable for the node alone, until it has been imported; then the rows
that were left out lie there as CSV. After a day, or when somebody says so, neither does.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from gateway.database.contract import Database
from gateway.errors import BrokenOff, StorageError
from gateway.web.background import Background, Job
from gateway.web.imports import import_of, start_import, under_way
from gateway.web.upload_store import Uploaded, set_state, sweep

_FOLDER: Final = "uploads"

# Imports a file and writes the rows that are left out to another; is told per cent, returns counts, raises BrokenOff.
ImportList = Callable[[Uploaded, Path, Path, Callable[[int], None]], Awaitable[Mapping[str, Any]]]


class Uploads:
    """The files and imports of one node."""

    def __init__(self, database: Database, data: Path, background: Background, import_list: ImportList) -> None:
        """`database`: web.db."""
        self._database = database
        self._folder = data.resolve() / _FOLDER
        self._background = background
        self._import_list = import_list
        self._arriving: set[str] = set()

    def path(self, public_id: str) -> Path:
        """Where a file lies."""
        return self._folder / public_id

    @asynccontextmanager
    async def arriving(self, content: bytes) -> AsyncIterator[str]:
        """Keep a file, under the id that it goes by from now on; it stays if it is on record when this ends.

        It goes again if anything raises here, or whoever sent it hangs up. Raises StorageError.
        """
        public_id = secrets.token_hex(16)
        self._arriving.add(public_id)
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, self.path(public_id), content))
        try:
            await asyncio.shield(writing)
            yield public_id
        except BaseException as error:
            await asyncio.wait([writing])
            await self.discard(public_id)
            if isinstance(error, OSError):
                raise StorageError("an uploaded file cannot be kept") from error
            raise
        finally:
            self._arriving.discard(public_id)

    async def discard(self, public_id: str) -> None:
        """Remove a file and what became of it."""
        await asyncio.to_thread(self._unlink, public_id)

    def running(self, public_id: str) -> Job | None:
        """Its import, while it is under way."""
        job = import_of(self._background, public_id)
        return None if job is None or job.over else job

    def start(self, upload: Uploaded) -> None:
        """Import it; the result stands with the upload when it is over. Raises TooManyRequests.

        What is broken off, whether the node stops or something unforeseen happens, stays "running" and can be gone on
        with: its file stays, and what is stored already is not stored again.
        """

        async def work(job: Job) -> None:
            job.total = 100
            try:
                result = await self._import(upload, job)
            except BrokenOff as error:
                if error.code != BrokenOff.code:
                    await self._settle(upload, "failed", {"code": error.code})
                raise
            await self._settle(upload, "done", result)

        start_import(self._background, upload.public_id, work)

    async def left_out(self, public_id: str) -> bytes | None:
        """The rows that were left out, as CSV; None if there are none."""
        path = self._left_out(public_id)
        return await asyncio.to_thread(lambda: path.read_bytes() if path.exists() else None)

    async def tidy(self, now: float) -> None:
        """Forget what is a day old, and remove files of which nothing is known."""
        arriving = frozenset(self._arriving)  # before: what has arrived meanwhile is on record by then
        kept = await self._database.write(sweep(now))
        await asyncio.to_thread(self._remove_others, kept | arriving | self._arriving | {under_way(self._background)})

    async def _import(self, upload: Uploaded, job: Job) -> Mapping[str, Any]:
        def tell(percent: int) -> None:
            job.done = percent

        return await self._import_list(upload, self.path(upload.public_id), self._left_out(upload.public_id), tell)

    async def _settle(self, upload: Uploaded, state: str, result: Mapping[str, Any]) -> None:
        await self._database.write(set_state(upload, state, result, before="running"))
        await asyncio.to_thread(self.path(upload.public_id).unlink, missing_ok=True)

    def _left_out(self, public_id: str) -> Path:
        return self._folder / f"{public_id}.left-out"

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)

    def _unlink(self, public_id: str) -> None:
        self.path(public_id).unlink(missing_ok=True)
        self._left_out(public_id).unlink(missing_ok=True)

    def _remove_others(self, kept: frozenset[str]) -> None:
        for path in self._folder.glob("*"):
            if path.name.partition(".")[0] not in kept:
                path.unlink(missing_ok=True)
