"""Starts import_worker.py and waits for it; ends it if nobody waits any more. An import goes on where it broke off."""

import asyncio
import sys
from typing import Final

from gateway.app.import_worker import ImportOrder
from gateway.settings import NodeSettings

_WORKER: Final = "gateway.app.import_worker"
_END_S: Final = 10.0  # a batch is written to its end


async def import_apart(settings: NodeSettings, source: str, confirmed: int) -> int:
    """Import one source in a process of its own; returns its exit code."""
    order = ImportOrder(settings=settings, source=source, confirmed=confirmed)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _WORKER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await process.communicate(order.as_json())
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _END_S)
            except TimeoutError:
                process.kill()
    return process.returncode or 0
