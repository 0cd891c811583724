"""What has begun is done to its end, though whoever sent the request has hung up.

A request is cancelled when its sender goes. One that writes twice, because what it changes is kept in two files, must
not end between the two.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_running: set[asyncio.Task[Any]] = set()  # or nothing would hold a task whose request has gone


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, which goes on by itself if this is cancelled."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)
