"""A line between this network namespace and one of its own: it loses packets, delays them, and can go dead unnoticed.

Real IP packets, so it is TCP and TLS that have to cope. `tc netem` does the same, but many kernels come without it.
"""

import asyncio
import contextlib
import ctypes
import os
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.far_end import end_of_line

START_S = 60.0
MAX_PACKET_BYTES = 65_536
_CLONE_NEWNET = 0x40000000  # linux/sched.h


@dataclass(slots=True)
class Line:
    """Carries packets between two ends, each way alike but where `there` and `back` say otherwise.

    `loss`: the share of all packets that is lost; `late_s`: the time that the others take one way. `there`, `back`:
    whether anything is carried towards the far end, and from it. Nobody is told of a change.
    """

    name: str
    near: str
    far: str
    chance: random.Random
    loss: float = 0.0
    late_s: float = 0.0
    there: bool = True
    back: bool = True
    carried: int = 0
    lost: int = 0
    _near_end: int = -1

    def lay(self) -> None:
        """The near end is there from now on, at `near`."""
        self._near_end = end_of_line(self.name, self.near, self.far)

    def is_good(self) -> None:
        self.loss, self.late_s, self.there, self.back = 0.0, 0.0, True, True

    def is_bad(self) -> None:
        """A fifth is lost in each direction, and a question and its answer take half a second on the way."""
        self.loss, self.late_s, self.there, self.back = 0.2, 0.25, True, True

    def is_dead(self, *, there: bool = True, back: bool = True) -> None:
        """Nothing arrives any more in these directions: half-open, for neither end hears of it."""
        self.there, self.back = not there, not back

    def join(self, far_end: int) -> None:
        """Carry packets to and from the far end."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._near_end, self._carry, self._near_end, far_end)
        loop.add_reader(far_end, self._carry, far_end, self._near_end, False)

    def _carry(self, here: int, to: int, towards_far: bool = True) -> None:
        packet = os.read(here, MAX_PACKET_BYTES)
        open_ = self.there if towards_far else self.back
        if not open_ or self.chance.random() < self.loss:
            self.lost += 1
            return
        self.carried += 1
        asyncio.get_running_loop().call_later(self.late_s, _deliver, to, packet)


def _deliver(end: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # the far end has gone, or its queue is full: one more that is lost
        os.write(end, packet)


Sockets = Callable[[tuple[Any, ...]], socket.socket]


@asynccontextmanager
async def at_the_far_end(line: Line, command: Sequence[str], log: Path) -> AsyncIterator[Sockets]:
    """Run a command in a namespace whose only way out is the line; what it says goes into `log`.

    Yields what makes sockets there for this process, as aiohttp asks for them.
    """
    mine, theirs = socket.socketpair()
    far_end = ["unshare", "--net", sys.executable, "-m", "tests.hostile.far_end", str(theirs.fileno())]
    with log.open("wb") as written:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once; this very program
            [*far_end, line.near, line.far, *command], pass_fds=[theirs.fileno()], stderr=written
        )
    there = ThreadPoolExecutor(1)  # a thread is in one network namespace, and so is each socket that it makes
    try:
        mine.settimeout(START_S)
        _, [end], _, _ = await asyncio.to_thread(socket.recv_fds, mine, 16, 1)
        line.join(end)
        there.submit(_go_to_namespace_of, process.pid).result()
        yield lambda address: there.submit(socket.socket, *address[:3]).result()
    finally:
        there.shutdown()
        process.kill()
        process.wait()


def _go_to_namespace_of(pid: int) -> None:
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)


async def said(log: Path, event: str) -> None:
    """Until a node has logged an event."""
    async with asyncio.timeout(START_S):
        while f'"{event}"' not in log.read_text():  # noqa: ASYNC110, ASYNC240 - a test may wait for its own small file
            await asyncio.sleep(0.05)
