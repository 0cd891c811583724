"""How whoever runs several processes knows that one hangs: it says on standard output, all the time, that it lives.

A process that hangs is worse than one that has died: the kernel goes on giving it connections.
"""

import asyncio
import logging
import os
from asyncio.subprocess import Process
from contextlib import suppress

from gateway.events import emit

SIGN = b"lives\n"
EVERY_S = 2.0
STEP_S = 3.0  # heard is in steps: if the whole machine stood still meanwhile, that is one step and not all of them
MOST_SILENT = 5  # steps
MOST_STARTING = 20  # steps until the first sign: a busy machine loads programs slowly


async def keep_saying(descriptor: int) -> None:
    """Give a sign all the time, until cancelled; nobody has to read it."""
    os.set_blocking(descriptor, False)
    while True:
        with suppress(OSError):  # nobody reads just now, or nobody is there any more
            os.write(descriptor, SIGN)
        await asyncio.sleep(EVERY_S)


async def ended(process: Process, *, worker: int) -> int:
    """Wait until a process has ended, and say how; one that is silent for too long is killed."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    silent, most = 0, MOST_STARTING
    while silent < most:
        try:
            async with asyncio.timeout(STEP_S):
                if not await process.stdout.read(1024):
                    return await process.wait()
            silent, most = 0, MOST_SILENT
        except TimeoutError:
            silent += 1
    emit("hub.worker_silent", level=logging.ERROR, worker=worker, seconds=round(silent * STEP_S))
    with suppress(ProcessLookupError):
        process.kill()
    return await process.wait()
