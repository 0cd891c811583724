"""Connections to others on which they can neither fill our memory nor keep us busy, whatever they send or do not read.

HTTP sets no end to what may come before a response (any number of 1xx) or between two: the library parses and keeps all
of it. And what has not been sent when a connection is closed stays in memory until the other side reads it.
"""

import asyncio
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler


class BoundedConnector(aiohttp.TCPConnector):
    """A TCPConnector whose peers may send `max_reply_bytes` for each request, of whatever kind, and no more."""

    def __init__(self, *, max_reply_bytes: int, **options: Any) -> None:
        super().__init__(**options)
        loop = asyncio.get_running_loop()
        # The library has no public way to say what speaks on its connections.
        self._factory = partial(_Bounded, loop, max_reply_bytes)  # type: ignore[assignment]  # it is a ResponseHandler


class _Bounded(ResponseHandler):
    def __init__(self, loop: asyncio.AbstractEventLoop, max_reply_bytes: int) -> None:
        super().__init__(loop)
        self._max_reply_bytes = max_reply_bytes
        self._left = max_reply_bytes

    def set_response_params(self, **params: Any) -> None:
        """A request has been sent: its reply may begin."""
        self._left = self._max_reply_bytes
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Count before a byte is parsed; who sends more is cut off, and the request ends as a broken connection."""
        self._left -= len(data)
        if self._left >= 0:
            super().data_received(data)
        elif self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close in order only if everything has been sent."""
        if self.transport is not None and self.transport.get_write_buffer_size() > 0:
            self.abort()
        else:
            super().close()
