"""Where the processes of one hub meet: Unix sockets in a folder that only the hub's own user may enter.

    {data}/siblings/             mode 0700
        {group}-{number}.sock    one for each process; `group` is of one start of the hub
        {group}.places           gateway/hub/places.py

Whoever gets there all the same is asked of the kernel who it is: another user is turned away, at both ends.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from gateway.errors import ConfigurationError
from gateway.links.sibling_frames import Frame, packed

FOLDER: Final = "siblings"
MAX_PATH_BYTES: Final = 100  # of a socket's address: the systems allow 104 to 108
MAX_UNSENT_BYTES: Final = 128 * 1024 * 1024  # to one that does not read; all copies of the largest question are 103 MB
_PRIVATE: Final = 0o700
_CREDENTIALS: Final = struct.Struct("iII")  # pid, uid, gid (unix(7))

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """One connection between two processes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @property
    def full(self) -> bool:
        """Whether the other end has so much to read that it gets no more."""
        return self._writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES

    def send(self, frame: Frame) -> None:
        """Send without waiting; who does not read is cut off."""
        if self.full:
            self.abort()
        elif not self._writer.is_closing():
            self._writer.write(packed(frame))

    def abort(self) -> None:
        """End it, with all that waits to be sent."""
        self._writer.transport.abort()


class SocketFolder:
    """The folder, held open, so that nobody can put another in its place; made by `open_folder`."""

    def __init__(self, path: Path, group: str, descriptor: int) -> None:
        self.path = path
        self.group = group
        self._descriptor = descriptor

    @property
    def places(self) -> Path:
        """The file of gateway/hub/places.py."""
        return self.path / f"{self.group}.places"

    def close(self) -> None:
        """Let it go."""
        os.close(self._descriptor)

    async def listen(self, number: int, talk: Talk) -> asyncio.Server:
        """Take in the other processes as `number`; raises ConfigurationError."""
        try:
            listening = self._bound(number)
        except OSError as error:
            raise ConfigurationError(f"{self.path}: cannot hold a socket: {os.strerror(error.errno or 0)}") from error
        try:
            return await asyncio.start_unix_server(talk, sock=listening)
        except BaseException:
            listening.close()
            raise

    async def dial(self, number: int) -> Wire:
        """Reach process `number`; raises OSError if it is not there, or is not ours."""
        reader, writer = await asyncio.open_unix_connection(self._address(number))
        wire = Wire(reader, writer)
        if not is_ours(writer):
            wire.abort()
            raise PermissionError("sibling: a process of another user")
        return wire

    def _bound(self, number: int) -> socket.socket:
        address = self._address(number)
        with contextlib.suppress(FileNotFoundError):
            Path(address).unlink()  # of one that died
        bound = socket.socket(socket.AF_UNIX)
        try:
            bound.bind(address)
            Path(address).chmod(0o600)
        except OSError:
            bound.close()
            raise
        return bound

    def _address(self, number: int) -> str:
        """The path of a socket; through the open folder where that is too long for a socket's address."""
        name = f"{self.group}-{number}.sock"
        path = str(self.path / name)
        return path if len(os.fsencode(path)) <= MAX_PATH_BYTES else f"/proc/self/fd/{self._descriptor}/{name}"


def open_folder(data: Path, group: str) -> SocketFolder:
    """The folder below `data`, made if need be; raises ConfigurationError if it is not private."""
    path = data / FOLDER
    try:
        path.mkdir(mode=_PRIVATE, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        os.fchmod(descriptor, _PRIVATE)  # fails for a folder of another user
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be made private: {os.strerror(error.errno or 0)}") from error
    return SocketFolder(path, group, descriptor)


def clear_folder(data: Path) -> None:
    """Take away what earlier starts of the hub have left; the processes of this one have not begun, or have ended."""
    folder = data / FOLDER
    if folder.is_symlink():
        return  # open_folder refuses it
    for left in [*folder.glob("*.sock"), *folder.glob("*.places")]:
        with contextlib.suppress(OSError):
            left.unlink()


def is_ours(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end runs as the same user; where the system cannot say, the folder's mode has to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    connection = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(credentials)[1]
    return user == os.geteuid()
