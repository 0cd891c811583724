"""Reads the body of a request from another party: never more of it than its kind may have, nor of all together.

A body is read only for a token that is in order, but a token can be shown many times while its body is on its way.
What anybody can make us hold, and for how long, is bounded here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from gateway.errors import Overloaded

MAX_READING_BYTES = 128 * 1024 * 1024  # announced by all requests that are being read at one time
READ_S = 10.0  # 2 MiB in this time is a slow line; slower than that is no line at all


ReadBody = Callable[[], Awaitable[bytes]]


async def no_body() -> bytes:
    """What a GET has; what a client sends with it all the same is never read."""
    return b""


class BodyReader:
    """One per listener."""

    def __init__(self) -> None:
        self._reading_bytes = 0

    def announced(self, request: web.Request, *, max_bytes: int) -> ReadBody:
        """Check what is announced of a body before a byte of it is read; calling the result reads it.

        Raises HTTP's own refusals 411 (no length announced), 413 (too long) and 415 (compressed).
        """
        length = request.content_length
        if "Content-Encoding" in request.headers:
            raise web.HTTPUnsupportedMediaType
        if length is None:
            raise web.HTTPLengthRequired
        if length > max_bytes:
            raise web.HTTPRequestEntityTooLarge(max_bytes, length)
        return partial(self._read, request, length)

    async def _read(self, request: web.Request, length: int) -> bytes:
        """Raises Overloaded, TimeoutError."""
        if length == 0:
            return b""
        if self._reading_bytes + length > MAX_READING_BYTES:
            raise Overloaded("too many bodies are being read")
        if request.content.is_eof():  # nothing to wait for, and a timer would cost more than the read
            return await request.content.readexactly(length)
        self._reading_bytes += length
        try:
            async with asyncio.timeout(READ_S):
                return await request.content.readexactly(length)
        finally:
            self._reading_bytes -= length
