"""What opening a node and opening a hub have in common: private folders, and a door with a limit of time and TLS."""

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
