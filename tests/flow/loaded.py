"""Runs `patchwork` commands as processes that need not load it: each is forked from one that has loaded all of it.

Loading takes a second, what a test asks of a command often a tenth of that. Folder, environment, standard streams,
umask, clock and exit code are the command's own, as if it had been started.

    python -I tests/flow/loaded.py SOCKET ARGUMENTS...    does the same from a shell; SOCKET is what loaded() returns
"""

import array
import atexit
import json
import os
import runpy
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[2]
LATER = Path(__file__).parent / "forty_days_later" / "sitecustomize.py"
STREAMS = 3
_LENGTH = struct.Struct("!I")
_NUMBER = struct.Struct("!i")


@cache
def loaded() -> str:
    """Where the process that has loaded it listens, until this one ends; started when first asked for."""
    folder = tempfile.mkdtemp(prefix="patchwork-loaded-")
    place = str(Path(folder) / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen(64)
        serving = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-m", "tests.flow.loaded", "--serve", str(listener.fileno())],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )

    def stop() -> None:
        assert serving.stdin is not None
        serving.stdin.close()
        serving.wait()
        shutil.rmtree(folder)

    atexit.register(stop)
    return place


def run(
    place: str,
    arguments: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    seconds: float | None = None,
    later: bool = False,
) -> int:
    """Exit code of `patchwork ARGUMENTS...`, which has these files as standard streams, in a folder of the machine.

    After so many seconds it is killed, and TimeoutError raised. `later`: forty days on.
    """
    order = {"arguments": list(arguments), "folder": folder, "environment": dict(environment), "later": later}
    text = json.dumps(order).encode()
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(place)
        passed = array.array("i", streams)
        channel.sendmsg([_LENGTH.pack(len(text))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        channel.sendall(text)
        channel.settimeout(seconds)
        process = 0
        try:
            process = _number(channel)
            return _number(channel)
        except TimeoutError:
            if process:
                os.kill(process, signal.SIGKILL)
            raise


def _number(channel: socket.socket) -> int:
    number: int = _NUMBER.unpack(_exactly(channel, _NUMBER.size))[0]
    return number


def _exactly(channel: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = channel.recv(length - len(found))
        if not more:
            raise EOFError("the loaded process has ended")
        found += more
    return found


def _serve(listener: socket.socket) -> NoReturn:
    """Until standard input ends: fork a process for each order, which goes on in _obey()."""
    from gateway.cli import application, main  # noqa: PLC0415 - whoever only asks must not load it
    from gateway.memory import loading  # noqa: PLC0415

    with loading():
        application()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if listener not in ready:
            os._exit(0)
        channel, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            arguments = _obey(channel)
            sys.argv = ["patchwork", *arguments]
            main()
            sys.exit(0)
        channel.close()


def _obey(channel: socket.socket) -> list[str]:
    """Become the process that was ordered, and return its arguments; another one waits for its end and tells."""
    sent, ancillary, _, _ = channel.recvmsg(_LENGTH.size, socket.CMSG_SPACE(STREAMS * array.array("i").itemsize))
    streams = array.array("i")
    streams.frombytes(ancillary[0][2])
    order = json.loads(_exactly(channel, _LENGTH.unpack(sent)[0]))
    process = os.fork()
    if process:
        channel.sendall(_NUMBER.pack(process))
        _, status = os.waitpid(process, 0)
        channel.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    channel.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    if order["later"]:
        runpy.run_path(str(LATER))
    arguments: list[str] = order["arguments"]
    return arguments


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        _serve(socket.socket(fileno=int(sys.argv[2])))
    sys.exit(run(sys.argv[1], sys.argv[2:], folder=os.getcwd(), environment=os.environ, streams=(0, 1, 2)))
