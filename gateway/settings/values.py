"""What the tables of a node's and a hub's file have in common: their kind, and the values that several hold."""

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PLAIN_HTTP_WORDS = "traffic may cross the network without TLS"
MEMBER_ID = r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$"  # docs/wire.md, Federation document


def _host_port(value: object) -> object:
    """`127.0.0.1:8401` or `[::1]:8401` into (host, port); port 0 takes a free one."""
    if not isinstance(value, str):
        return value
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the port range
        raise ValueError("must be host:port, as in 127.0.0.1:8401")
    return host.strip("[]"), int(port)


Listen = Annotated[tuple[str, int], BeforeValidator(_host_port)]
MemberId = Annotated[str, Field(pattern=MEMBER_ID)]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]


class Table(BaseModel):
    """One table of a configuration file: frozen, and a key that it does not name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsSettings(Table):
    """Own certificate files for the listening port; left out behind a proxy that ends TLS."""

    certificate: Path
    key: Path


def allowed_url(url: str, *, plain_http: str) -> None:
    """Raise ValueError unless `url` is https, or plain HTTP where `plain_http` says that it may be."""
    scheme = urlsplit(url).scheme
    if scheme == "https" or (scheme == "http" and (is_loopback(url) or plain_http == PLAIN_HTTP_WORDS)):
        return
    raise ValueError(f'{url}: must be https (plain HTTP only to loopback, or with plain_http = "{PLAIN_HTTP_WORDS}")')


def is_loopback(url: str) -> bool:
    """True if a URL's host is this machine's loopback, by address or as `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
