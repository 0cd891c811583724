"""A worker for test_apart.py: does as its order says."""

import asyncio
import os
import signal

from gateway.app.worker import Tell, carry_out
from gateway.errors import StorageError


async def work(order: bytes, tell: Tell) -> dict[str, object]:
    match order:
        case b"refuse":
            raise StorageError("a disk is full")
        case b"fail":
            raise ValueError("Katherine Bramley")
        case b"die":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"end":
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
    tell(50)
    umask = os.umask(0o022)
    return {"order": order.decode(), "umask": umask, "nice": os.nice(0)}


if __name__ == "__main__":
    carry_out(work)
