"""What the connectors of files share: opening, progress, cursors, noticing that a file changed while it was read."""

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from connectors.contract import BATCH_RECORDS, Cursor, Rejected, SourceError, SourceRecord


class CountedFile:
    """A binary file that counts what was read of it, for the progress bar."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.bytes_read = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes."""
        data = self._stream.read(size)
        self.bytes_read += len(data)
        return data


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; raises SourceError, also at the end if the file changed meanwhile.

    A half-written export must not pass for a complete one, from which deletions are concluded.
    """
    with _explained(path), path.open("rb") as stream:
        before = _state(os.fstat(stream.fileno()))
        yield stream
        if _state(path.stat()) != before:
            raise SourceError(f"{path.name}: changed while it was read; import it when its export has ended")


def size(paths: Iterable[Path]) -> int:
    """Bytes of files in all; raises SourceError."""
    total = 0
    for path in paths:
        with _explained(path):
            total += path.stat().st_size
    return total


def fingerprint(paths: Iterable[Path]) -> str:
    """Tells one state of some files from another; raises SourceError."""
    digest = hashlib.sha256()
    for path in paths:
        with _explained(path):
            digest.update(repr((path.name, _state(path.stat()))).encode())
    return digest.hexdigest()[:16]


def with_cursors(
    items: Iterable[SourceRecord | Rejected], state: str, since: Cursor | None
) -> Generator[SourceRecord | Rejected | Cursor]:
    """Put cursors between items and skip what `since` covers, if it was made of the same state of the files."""
    made_of, _, count = since.value.partition(":") if since else ("", "", "")
    skip = int(count) if made_of == state and count.isdigit() else 0
    number = 0
    for number, item in enumerate(items, 1):
        if number <= skip:
            continue
        yield item
        if number % BATCH_RECORDS == 0:
            yield Cursor(f"{state}:{number}")
    yield Cursor(f"{state}:{number}")


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into SourceError."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or type(error).__name__}") from None
