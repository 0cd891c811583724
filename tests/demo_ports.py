"""The demonstration wants the same ports wherever it runs: of tests in several processes, one runs it at a time."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other test runs the demonstration, and keep others from it meanwhile."""
    with (Path(tempfile.gettempdir()) / "patchwork-demo.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
