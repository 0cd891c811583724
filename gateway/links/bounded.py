"""Connections to others on which they can neither fill our memory nor keep us busy, whatever they send or do not read.

HTTP sets no end to what may come before a response (any number of 1xx) or between two: the library parses and keeps all
of it. And what has not been sent when a connection is closed stays in memory until the other side reads it.
"""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from gateway.wire.limits import KIB

MAX_HEAD_BYTES = 16 * KIB  # of a response, with whatever comes before it


class BoundedConnector(aiohttp.TCPConnector):
    """A TCPConnector whose peers may send `max_reply_bytes` for each request, of whatever kind, and no more.

    What comes before a response, its head and a little of its body, is MAX_HEAD_BYTES and what arrives with the last of
    them; after it nothing may come. `links`: a connection that becomes a WebSocket is counted no more, for its frames
    have bounds of their own.
    """

    def __init__(self, *, max_reply_bytes: int, links: bool = False, **options: Any) -> None:
        super().__init__(**options)
        loop = asyncio.get_running_loop()
        # The library has no public way to say what speaks on its connections.
        self._factory = partial(_Bounded, loop, max_reply_bytes, links)  # type: ignore[assignment]  # a ResponseHandler


class _Bounded(ResponseHandler):
    def __init__(self, loop: asyncio.AbstractEventLoop, max_reply_bytes: int, links: bool) -> None:
        super().__init__(loop)
        self._max_reply_bytes = max_reply_bytes
        self._links = links
        self._left = max_reply_bytes
        self._head_left = MAX_HEAD_BYTES
        self._responded = False  # the one response that a request has, not a 1xx
        self._linked = False

    def set_response_params(self, **params: Any) -> None:
        """A request has been sent: its reply may begin."""
        self._left = self._max_reply_bytes
        self._head_left = MAX_HEAD_BYTES
        self._responded = False
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Count before a byte is parsed; who sends more is cut off, and the request ends as a broken connection."""
        if self._linked:
            super().data_received(data)
            return
        self._left -= len(data)
        if self._left < 0:
            self._cut_off()
            return
        super().data_received(data)
        if not self._responded:
            self._head_left -= len(data)
            if self._head_left < 0:
                self._cut_off()

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A head has been parsed: of a 1xx, of the response, or of what nobody asked for."""
        if self._responded:
            self._cut_off()
            return
        status = data[0].code
        self._responded = status >= HTTPStatus.OK or status == HTTPStatus.SWITCHING_PROTOCOLS
        self._linked = self._links and status == HTTPStatus.SWITCHING_PROTOCOLS
        super().feed_data(data, size)

    def close(self) -> None:
        """Close in order only if everything has been sent."""
        if self.transport is not None and self.transport.get_write_buffer_size() > 0:
            self.abort()
        else:
            super().close()

    def _cut_off(self) -> None:
        if self.transport is not None:
            self.transport.abort()
