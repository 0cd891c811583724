"""What a node and a hub have in common when they open and run: private folders, a door with TLS, the signal to stop."""

import asyncio
import signal
import ssl
from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.http import server_tls
from gateway.settings import TlsSettings

REQUEST_LIMIT_S = 90.0  # longer than any deadline; a request that takes this long has been forgotten


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; raises ConfigurationError naming it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error


def listening_tls(table: TlsSettings | None) -> ssl.SSLContext | None:
    """TLS for a listening port, or none behind a proxy that ends it."""
    return None if table is None else server_tls(table.certificate, table.key)


async def until_stopped() -> None:
    """Return at SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
