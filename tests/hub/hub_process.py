"""A hub as its own process, for tests and measurements that must tell its memory and its time from their own.

    python -m tests.hub.hub_process FOLDER

FOLDER holds the operator's document and the two key files that `write_keys` puts there; the port is the first line out.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from gateway.memory import collect_rarely
from gateway.wire.keys import SigningKey
from tests.hub.kit import Federated, SteppingClock, running_hub

_OPERATOR, _HUB = "operator.key", "hub.key"
_RATE_PER_MINUTE = 1_000_000


class RealClock(SteppingClock):
    """The machine's time, so that two processes agree on it."""

    def now(self) -> float:
        return time.time()


@contextmanager
def hub_process(federation: Federated) -> Iterator[tuple[int, int]]:
    """Start a hub for a published federation; yields its process id and its port."""
    federation.operator.save(federation.folder / _OPERATOR)
    federation.hub_key.save(federation.folder / _HUB)
    command = [sys.executable, "-m", "tests.hub.hub_process", str(federation.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None
            yield process.pid, int(process.stdout.readline())
        finally:
            process.terminate()


async def _serve(folder: Path) -> None:
    federation = Federated(
        folder=folder,
        clock=RealClock(),
        operator=SigningKey.load(folder / _OPERATOR),
        hub_key=SigningKey.load(folder / _HUB),
        keys={},
        members={},
    )
    async with running_hub(federation, rate_per_minute=_RATE_PER_MINUTE) as hub:
        collect_rarely()  # as serve_hub() does
        sys.stdout.write(f"{hub.listener.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
