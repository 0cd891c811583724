"""A line between two parties that can be cut as a power cut does it: nobody is told, and both ends keep waiting."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_CHUNK_BYTES = 65_536


def free_port() -> int:
    """One that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@dataclass(slots=True)
class Cable:
    """Connections to `port` go on to `to`. One that was open when the line was cut stays open and carries nothing."""

    port: int
    to: int
    connections: int = 0
    _cut: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Every connection of now is dead; what is opened from now on works."""
        self._cut.set()
        self._cut = asyncio.Event()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Cable"]:
        """Carry until the context is left."""
        carrying: set[asyncio.Task[None]] = set()

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            carrying.add(task)
            self.connections += 1
            try:
                there, back = await asyncio.open_connection("127.0.0.1", self.to)
            except OSError:
                writer.transport.abort()
                return
            cut = self._cut
            with suppress(asyncio.CancelledError):
                await asyncio.gather(_pass(reader, back, cut), _pass(there, writer, cut))
            for end in (writer, back):
                end.transport.abort()

        server = await asyncio.start_server(carry, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
    """Bytes from one end to the other, and its end; after a cut they are lost, and so is the end."""
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            if not cut.is_set():
                writer.write(chunk)
                await writer.drain()
        if not cut.is_set() and writer.can_write_eof():
            writer.write_eof()
