"""Runs a hub as several processes on one port, so that it uses several cores; starts again what dies or hangs.

The kernel gives each new connection to one of them (SO_REUSEPORT). They share the hub's database, and through it what
was asked before and each member's rate; hub_shared.py has what else they share.
"""

import asyncio
import logging
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import gateway
from gateway import __version__
from gateway.app.hub_worker import LISTENS
from gateway.app.opening import until_stopped
from gateway.app.serve_hub import stops_within_s
from gateway.app.signs_of_life import ended
from gateway.errors import ConfigurationError
from gateway.events import configure_logging, emit
from gateway.links.sibling_sockets import clear_folder
from gateway.settings import HubSettings

FIRST_WAIT_S = 0.5  # before one that died is started again; twice as long each time
LONGEST_WAIT_S = 30.0
WELL_S = 60.0  # one that served for so long was well: its next start begins with the first wait again
_IMPORTED_FROM = str(Path(gateway.__file__).parent.parent)  # so that the processes are of this very program


async def serve_workers(config: Path, settings: HubSettings, *, workers: int) -> None:
    """Run `workers` processes until SIGINT or SIGTERM; raises ConfigurationError if not even the first can start."""
    configure_logging()
    host, port = settings.hub.listen
    with _held(host, port) as port:
        clear_folder(settings.hub.data)
        pool = _Pool(config, port, workers, stops_within_s(settings.hub.deadline_ms))
        stopped = asyncio.create_task(until_stopped())
        # The first alone brings the database to this version, and shows whether the configuration can be used at all.
        first = await pool.start(0)
        starting = asyncio.create_task(_listens(first))
        await asyncio.wait([starting, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not stopped.done() and not starting.result():
            stopped.cancel()
            raise ConfigurationError("the hub cannot start: what its process says is above")
        starting.cancel()  # pool.keep() reads from here on
        await asyncio.wait([starting])
        emit("hub.started", hub=settings.hub.id, port=port, version=__version__)
        keeping = [asyncio.create_task(pool.keep(number, first if number == 0 else None)) for number in range(workers)]
        await asyncio.wait([stopped, *keeping], return_when=asyncio.FIRST_COMPLETED)
        await pool.stop()
        await asyncio.gather(*keeping)
        clear_folder(settings.hub.data)
    emit("hub.stopped", hub=settings.hub.id)


class _Pool:
    """The processes that run."""

    def __init__(self, config: Path, port: int, workers: int, end_s: float) -> None:
        self._command = (sys.executable, "-P", "-m", "gateway.app.hub_worker", str(config), str(port), str(workers))
        self._group = str(os.getpid())
        self._end_s = end_s
        self._running: set[Process] = set()
        self._stopping = asyncio.Event()

    async def start(self, number: int) -> Process:
        """Process `number`; it ends with this one, however this one ends, for it reads the pipe that we hold."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(number),
            self._group,
            stdin=PIPE,
            stdout=PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, (_IMPORTED_FROM, os.environ.get("PYTHONPATH")))),
            },
        )
        self._running.add(process)
        if self._stopping.is_set():  # meanwhile
            process.terminate()
        return process

    async def keep(self, number: int, process: Process | None) -> None:
        """Start a process whenever there is none, later each time until one was well for WELL_S; until stopped."""
        wait_s = FIRST_WAIT_S
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            process = process or await self.start(number)
            began = loop.time()
            code = await ended(process, worker=number)
            self._running.discard(process)
            process = None
            if self._stopping.is_set():
                return
            if loop.time() - began >= WELL_S:
                wait_s = FIRST_WAIT_S
            emit("hub.worker_ended", level=logging.ERROR, worker=number, status=code, again_s=wait_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    async def stop(self) -> None:
        """Have all end what they have under way, within its time; then no more is waited for."""
        self._stopping.set()
        running = list(self._running)
        for process in running:
            with suppress(ProcessLookupError):
                process.terminate()
        try:
            async with asyncio.timeout(self._end_s):
                await asyncio.gather(*(process.wait() for process in running))
        except TimeoutError:
            for process in running:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()


async def _listens(process: Process) -> bool:
    """Wait until a process says that it listens; False if it ended before."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    while line := await process.stdout.readline():
        if line == LISTENS:
            return True
    return False


@contextmanager
def _held(host: str, port: int) -> Iterator[int]:
    """Keep the port for our processes while none of them listens; raises ConfigurationError if somebody else does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as alone:  # without SO_REUSEPORT: another hub of ours would let us share its port
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind((host, port))
            port = alone.getsockname()[1]
        held = socket.socket(family)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))  # it does not listen, so the kernel gives it no connection
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error
    with held:
        yield port
