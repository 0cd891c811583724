"""Pings and pongs of a link, for either end: answered, counted, and missed when they stay away."""

import asyncio

from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType, web

from gateway.errors import MalformedMessage

AT_ONCE, EVERY_S = 16, 1.0  # so many may come together, then one in this time; an honest end sends one in 15 s
PONG_S = 5.0  # who does not take a pong for so long takes nothing


class SignsOfLife:
    """Of one connection."""

    def __init__(self) -> None:
        self._left = float(AT_ONCE)
        self._at = asyncio.get_running_loop().time()

    async def take(self, message: WSMessage, socket: web.WebSocketResponse | ClientWebSocketResponse) -> bool:
        """Whether this is a ping, which is answered, or a pong.

        Raises MalformedMessage for more of them than anybody needs, TimeoutError or OSError if the pong is not taken.
        """
        if message.type not in {WSMsgType.PING, WSMsgType.PONG}:
            return False
        now = asyncio.get_running_loop().time()
        self._left = min(self._left + (now - self._at) / EVERY_S, AT_ONCE) - 1
        self._at = now
        if self._left < 0:
            raise MalformedMessage("link: more signs of life than anybody needs")
        if message.type is WSMsgType.PING:
            async with asyncio.timeout(PONG_S):
                await socket.pong(message.data)
        return True


def is_silent(socket: web.WebSocketResponse | ClientWebSocketResponse) -> bool:
    """Whether the other end has sent no pong in time: the line is dead, and nobody has said anything wrong."""
    return isinstance(socket.exception(), TimeoutError)
