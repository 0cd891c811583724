"""What a hostile party says on a connection: each takes one request, or none, and never what was asked for."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from gateway.wire.limits import SEALED_ANSWER_BYTES

SWALLOWED_AT_MOST = 48 * 2**20  # of what never ends: a federation document may have 32 MiB with all around it

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ok(length: int) -> bytes:
    """The head of an answer of so many bytes."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length


async def whole(reader: asyncio.StreamReader) -> None:
    """Read one request to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    await reader.readexactly(int(lengths[0]) if lengths else 0)


async def never_answers(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def never_reads(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def closes_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hangs_up_after_the_question(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.transport.abort()


async def answers_a_byte_at_a_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    for byte in ok(SEALED_ANSWER_BYTES) + b"x" * SEALED_ANSWER_BYTES:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def goes_silent_one_byte_before_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(ok(SEALED_ANSWER_BYTES) + b"x" * (SEALED_ANSWER_BYTES - 1))
    await reader.read()


async def _for_ever(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """Send for as long as anybody takes it, or more than anybody may take."""
    for _ in range(0, SWALLOWED_AT_MOST, len(chunk)):
        writer.write(chunk)
        await writer.drain()
    raise AssertionError("all of it was taken")


async def sends_a_gigabyte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(ok(2**30))
    await _for_ever(writer, b"x" * 2**16)


async def sends_chunks_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await _for_ever(writer, b"10000\r\n" + b"x" * 2**16 + b"\r\n")


async def sends_a_refusal_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 503 Busy\r\n\r\n")
    await _for_ever(writer, b"x" * 2**16)


async def sends_a_head_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await _for_ever(writer, b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(500)))


async def sends_a_line_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    await _for_ever(writer, b"x" * 2**16)


async def asks_to_continue_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0)


async def does_not_speak_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(4096))
    await writer.drain()


async def switches_protocols(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
    writer.write(b"x" * SEALED_ANSWER_BYTES)
    await reader.read()


async def sends_garbage_of_the_right_size(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(ok(SEALED_ANSWER_BYTES) + os.urandom(SEALED_ANSWER_BYTES))
    await reader.read()
