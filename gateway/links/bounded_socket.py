"""A WebSocket whose peer may say so much and no more: what it was asked for, and now and then a sign of life.

The library parses and keeps all that comes, and answers each ping, before anybody sees it: a megabyte of empty frames
or pings would keep everybody else waiting. So bytes are counted before they are parsed, and who sends more is cut off.
"""

import asyncio
from typing import Any

from aiohttp import web

FIRST_BYTES = 16_384.0  # what may come unasked, and is there again after SPARE_S
SPARE_S = 512.0


class Allowance:
    """How many bytes may still come: some for each thing that is asked, a few that come back with time."""

    def __init__(self, *, each: int, now: float) -> None:
        """`each`: for one thing asked; `now` in seconds of any clock."""
        self._each = each
        self._left = FIRST_BYTES
        self._at = now

    def ask(self) -> None:
        """One thing more may be answered."""
        self._left += self._each

    def settle(self, waiting: int) -> None:
        """So much is still asked: what was left over of other answers is not saved up."""
        self._left = min(self._left, FIRST_BYTES + self._each * waiting)

    def take(self, count: int, now: float) -> bool:
        """Count bytes that have come; False if they are too many."""
        spare = (now - self._at) * FIRST_BYTES / SPARE_S
        self._left = max(self._left, min(self._left + spare, FIRST_BYTES)) - count
        self._at = now
        return self._left >= 0


class BoundedSocket(web.WebSocketResponse):
    """The server's end; `flooded` once the peer has been cut off for saying too much."""

    def __init__(self, *, each: int, **options: Any) -> None:
        """`each`: as in Allowance."""
        super().__init__(**options)
        self._allowance = Allowance(each=each, now=asyncio.get_running_loop().time())
        self.flooded = False

    def ask(self) -> None:
        """The peer is about to be asked for something."""
        self._allowance.ask()

    def settle(self, waiting: int) -> None:
        """It has answered; so much is still asked."""
        self._allowance.settle(waiting)

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """The library has no public way to see bytes before its parser does."""
        early, request.protocol._message_tail = request.protocol._message_tail, b""
        super()._post_start(request, protocol, writer)
        request.protocol._payload_parser = _Counted(self._parser, self, request)
        if early:  # RFC 6455, 4.1: a client says nothing until it has been answered
            self._cut(request)

    def _takes(self, count: int) -> bool:
        return self._allowance.take(count, asyncio.get_running_loop().time())

    def _cut(self, request: web.BaseRequest) -> None:
        self.flooded = True
        if request.transport is not None:
            request.transport.abort()


class _Counted:
    """Stands before a parser."""

    __slots__ = ("_parser", "_request", "_socket")

    def __init__(self, parser: Any, socket: BoundedSocket, request: web.BaseRequest) -> None:
        self._parser = parser
        self._socket = socket
        self._request = request

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if self._socket._takes(len(data)):
            result: tuple[bool, bytes] = self._parser.feed_data(data)
            return result
        self._socket._cut(self._request)
        return True, b""

    def feed_eof(self) -> None:
        self._parser.feed_eof()
