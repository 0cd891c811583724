"""The demonstration's processes: a hub and five nodes, started, waited for, and stopped whatever happens."""

import ctypes
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.errors import ConfigurationError

START_S = 30.0  # for one server to say that it is well, on a slow machine that starts six
STOP_S = 5.0  # to finish what it is doing; then it is killed
_STARTED = (b'"event":"node.started"', b'"event":"hub.started"')
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Servers:
    """Child processes by name. Leaving the `with` block stops all, also on an error or a signal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._log_starts: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(*self._running)

    def start(self, name: str, *arguments: str) -> None:
        """Start `patchwork ARGUMENTS...` as its own process, with its log in <folder>/<name>/log.jsonl."""
        with self.log(name).open("ab") as log:
            self._log_starts[name] = log.tell()
            self._running[name] = subprocess.Popen(
                command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches this program, which then stops them in order
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads here
            )

    def log(self, name: str) -> Path:
        """Where a server writes what happens."""
        return self._folder / name / "log.jsonl"

    def wait(self, ports: Mapping[str, int]) -> None:
        """Until each server says that it is well; raises ConfigurationError naming the one that does not."""
        deadline = time.monotonic() + START_S
        for name, port in ports.items():
            while not (self._has_started(name) and _well(port)):
                self.check()
                if time.monotonic() > deadline:
                    raise ConfigurationError(f"{name} does not answer on port {port}; see {self.log(name)}")
                time.sleep(0.05)

    def _has_started(self, name: str) -> bool:
        """Whether this very process listens: another program may have taken its port, and be well."""
        with self.log(name).open("rb") as log:
            log.seek(self._log_starts[name])
            return any(event in line for line in log for event in _STARTED)

    def check(self) -> None:
        """Raises ConfigurationError if a server has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ConfigurationError(f"{name} has stopped by itself; see {self.log(name)}")

    def stop(self, *names: str) -> None:
        """Stop these, all at once; one that does not end in STOP_S is killed."""
        processes = [self._running.pop(name) for name in names]
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def command(*arguments: str) -> list[str]:
    """The command line of `patchwork ARGUMENTS...` with this very Python."""
    return [sys.executable, "-m", "gateway.cli", *arguments]


def run_together(commands: Mapping[str, Sequence[str]], servers: Servers, *, at_once: int) -> Iterator[str]:
    """Run `patchwork` commands side by side and yield the name of each as it ends; raises ConfigurationError."""
    waiting, running = dict(commands), dict[str, subprocess.Popen[bytes]]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                name = next(iter(waiting))
                with servers.log(name).open("ab") as log:
                    running[name] = subprocess.Popen(
                        command(*waiting.pop(name)), stdin=subprocess.DEVNULL, stdout=log, stderr=log
                    )
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if running.pop(name).returncode != 0:
                    raise ConfigurationError(f"the import of {name} failed; see {servers.log(name)}")
                yield name
            time.sleep(0.02)
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def free_ports(wanted: Mapping[str, int]) -> dict[str, int]:
    """The wanted loopback ports, and others in place of those that are busy."""
    taken: dict[str, int] = {}
    for name, port in wanted.items():
        choices = (port, *range(port + 100, port + 1100, 100), 0)
        taken[name] = next(found for choice in choices if (found := _bind(choice)) and found not in taken.values())
    return taken


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this demonstration alone; raises ConfigurationError while another one runs in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be used: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(f"a demonstration runs in {folder} already; --data names another one") from None
        yield
    finally:
        os.close(lock)


def _bind(port: int) -> int | None:
    """The port if nobody listens on it (a free one for 0)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        bound: int = probe.getsockname()[1]
        return bound


def _well(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end_with_parent() -> None:
    """In the child, before it starts: the kernel ends it when this program is killed without a chance to tidy up."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
