"""A server that parses no body in chunks: who sends one says no more on that connection.

Nobody here takes a body without its length (docs/wire.md, "HTTP of a hub"), but the library parses what comes before
anybody has looked at the request: a megabyte of chunks of one byte, which any stranger can send, would keep everybody
else waiting for seconds. So bytes go to the parser in pieces, and none after a head that announces chunks.
"""

import asyncio

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

PIECE_BYTES = 16 * 1024  # a question in one; of chunks some milliseconds


class LengthsOnlyRunner(web.AppRunner):
    """An AppRunner whose connections are such ones."""

    async def _make_server(self) -> web.Server:
        """The library has no public way to say what speaks on its connections."""
        return _LengthsOnlyServer(await super()._make_server())


class _LengthsOnlyServer(web.Server):
    def __init__(self, made: web.Server) -> None:
        self.__dict__.update(made.__dict__)

    def __call__(self) -> RequestHandler:
        return _LengthsOnly(self, loop=asyncio.get_running_loop(), **self._kwargs)


class _LengthsOnly(RequestHandler):
    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, until a head announces chunks: that request is answered, and the connection closed."""
        if self._upgraded:
            super().data_received(data)
            return
        for start in range(0, len(data), PIECE_BYTES):
            super().data_received(data[start : start + PIECE_BYTES])
            if self._chunks_are_announced():
                self.close()
                return

    def _chunks_are_announced(self) -> bool:
        """If so, the reply will say that it is the last one here."""
        for number, (message, payload) in enumerate(self._messages):
            if getattr(message, "chunked", False):
                self._messages[number] = (message._replace(should_close=True), payload)  # type: ignore[union-attr]
                return True
        return False
