"""Work in a process of its own, for a node whose answers come first: it ends with whoever waits for it.

The worker is a module that calls carry_out(). It reads an order on standard input, and prints lines of JSON:
{"percent"} as it goes on, and in the end {"result"} or {"code"}. Its log events go to standard error, as the node's
own.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import orjson

import gateway
from gateway.errors import BrokenOff, PatchworkError, origin
from gateway.events import configure_logging

END_S: Final = 3.0  # to write a batch to its end: less than the pages wait when the node stops (background.CLOSE_S)
_NICE: Final = 10  # whatever else runs here goes first
_IMPORTED_FROM: Final = str(Path(gateway.__file__).parent.parent)  # so that the worker is of this very program

Tell = Callable[[int], None]  # takes per cent


async def run_apart(module: str, order: bytes, tell: Tell = lambda _: None) -> Any:
    """Have a worker do what `order` says; returns its result. Raises BrokenOff with the worker's code, if it has one.

    Whoever is cancelled here takes the worker along.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module),
        stdin=PIPE,
        stdout=PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (_IMPORTED_FROM, os.environ.get("PYTHONPATH")))),
        },
    )
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    said: dict[str, Any] = {}
    try:
        process.stdin.write(order)
        process.stdin.close()
        async for line in process.stdout:
            said = orjson.loads(line)
            if "percent" in said:
                tell(said["percent"])
        await process.wait()
    finally:
        await _end(process)
    if "result" not in said:
        raise BrokenOff(said.get("code", BrokenOff.code))
    return said["result"]


def carry_out(work: Callable[[bytes, Tell], Coroutine[Any, Any, object]]) -> None:
    """Be a worker: take the order, do the work, say how it went. An unforeseen error is named by its place alone."""
    os.umask(0o077)
    os.nice(_NICE)
    configure_logging()
    order = sys.stdin.buffer.read()
    _say(asyncio.run(_outcome(work(order, lambda percent: _say({"percent": percent})))))


async def _outcome(work: Coroutine[Any, Any, object]) -> dict[str, object]:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return {"result": await task}
    except asyncio.CancelledError:
        return {"code": BrokenOff.code}
    except PatchworkError as error:
        return {"code": error.code}
    except Exception as error:  # whoever waits is told, and logs it
        return {"code": origin(error)}


def _say(line: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


async def _end(process: Process) -> None:
    try:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), END_S)
    except (TimeoutError, ProcessLookupError):
        pass
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
