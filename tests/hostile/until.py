"""Waits for what the product has no event for."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Return as soon as it holds; TimeoutError if it does not come to that."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)
