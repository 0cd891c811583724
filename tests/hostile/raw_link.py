"""A member's end of a link below any WebSocket library: with its key it dials the hub, and then says what it likes."""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from gateway.wire import base64url
from gateway.wire.keys import SigningKey
from gateway.wire.paths import link_path
from gateway.wire.request import sign_request
from tests.federation import NAME, TestFederation

# RFC 6455, 5.2
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, COMPRESSED = 0x80, 0x40
_MASKED, _LENGTH_16, _LENGTH_64 = 0x80, 126, 127
_NO_MASK = bytes(4)  # a mask all the same: masking with it changes nothing


@dataclass(slots=True)
class RawLink:
    """What a hostile node has in hand; `closed`: the hub has said farewell, or the connection is gone."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    asked: list[str] = field(default_factory=list)
    code: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def head(self, length: int, *, kind: int = TEXT, flags: int = FIN) -> bytes:
        """Of one frame of so many bytes, which need not follow."""
        if length < _LENGTH_16:
            size = bytes([_MASKED | length])
        elif length < 2**16:
            size = struct.pack("!BH", _MASKED | _LENGTH_16, length)
        else:
            size = struct.pack("!BQ", _MASKED | _LENGTH_64, length)
        return bytes([flags | kind]) + size + _NO_MASK

    async def send(self, payload: bytes, *, kind: int = TEXT, flags: int = FIN) -> None:
        self.writer.write(self.head(len(payload), kind=kind, flags=flags) + payload)
        await self.writer.drain()

    async def answer(self, question: str, sealed: bytes) -> None:
        await self.send(answer_frame(question, sealed))

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """What the hub says: a frame's kind and payload, until the connection ends."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, length = await self.reader.readexactly(2)
                if length == _LENGTH_16:
                    (length,) = struct.unpack("!H", await self.reader.readexactly(2))
                elif length == _LENGTH_64:
                    (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(length)
                yield first & 0x0F, payload


def answer_frame(question: str, sealed: bytes) -> bytes:
    """As an honest node writes it."""
    return orjson.dumps({"answer": question, "sealed": base64url.encode_text(sealed)})


Behaving = Callable[[RawLink, str], Coroutine[Any, Any, None]]


async def dial_raw(north: TestFederation, member: str, key: SigningKey, *, early: bytes = b"") -> RawLink:
    """Open a link as that member's node does; the hub must let it in. `early`: what is said before it has answered."""
    now, path = north.clock.now(), link_path(str(uuid4()), north.hub.hub.key().kid)
    token = sign_request(key, iss=member, aud=NAME, method="GET", path=path, body=b"", now=now, jti=str(uuid4()))
    reader, writer = await asyncio.open_connection("127.0.0.1", north.ports["hub"])
    nonce = base64url.encode_text(os.urandom(16)).replace("-", "+").replace("_", "/") + "=="
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\nAuthorization: {token}\r\n\r\n"
    )
    opened = False
    try:
        writer.write(head.encode() + early)
        said = await reader.readuntil(b"\r\n\r\n")
        opened = said.startswith(b"HTTP/1.1 101 ")
    finally:
        if not opened:
            writer.transport.abort()
    if not opened:
        raise ConnectionRefusedError(said.splitlines()[0].decode())
    return RawLink(reader, writer)


@asynccontextmanager
async def hostile_link(
    north: TestFederation, member: str, key: SigningKey, behaving: Behaving
) -> AsyncIterator[RawLink]:
    """A link that the hub holds; each question is met as `behaving` says, in a task of its own."""
    link = await dial_raw(north, member, key)
    behaved: set[asyncio.Task[None]] = set()
    reading = asyncio.create_task(_read(link, behaving, behaved))
    try:
        await north.linked(member)
        yield link
    finally:
        for task in (reading, *behaved):
            task.cancel()
        ended = await asyncio.gather(reading, *behaved, return_exceptions=True)
        link.writer.transport.abort()
    for error in ended:
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            raise error


async def _read(link: RawLink, behaving: Behaving, behaved: set[asyncio.Task[None]]) -> None:
    async for kind, payload in link.frames():
        if kind == PING:
            await link.send(payload, kind=PONG)
        elif kind == CLOSE:
            link.code = int.from_bytes(payload[:2], "big")
            link.closed.set()
        elif kind == TEXT and "question" in (frame := orjson.loads(payload)):
            link.asked.append(frame["question"])
            behaved.add(asyncio.create_task(behaving(link, frame["question"])))
    link.closed.set()
