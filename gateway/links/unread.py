"""Cuts off who does not read what it is sent: what is unsent stays in our memory for as long as it likes.

A limit of time on a request does not see this: its handler has ended, and the bytes wait in the connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

UNREAD_S = 60.0  # the largest reply, 16 MiB, takes this long at 2 Mbit/s
CHECKS = 6  # in that time


def cut_unread(runner: web.AppRunner) -> None:
    """While `runner` serves, abort every connection that had something unsent at each look for UNREAD_S."""

    async def watching(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_watch(runner, UNREAD_S / CHECKS), name="unread")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    runner.app.cleanup_ctx.append(watching)


async def _watch(runner: web.AppRunner, every_s: float) -> None:
    seen: dict[asyncio.Transport, int] = {}
    while True:
        await asyncio.sleep(every_s)
        server = runner.server
        transports = [each.transport for each in server.connections] if server is not None else []
        unsent = [each for each in transports if each is not None and each.get_write_buffer_size() > 0]
        seen = {transport: seen.get(transport, 0) + 1 for transport in unsent}
        for transport, times in seen.items():
            if times > CHECKS:
                transport.abort()
