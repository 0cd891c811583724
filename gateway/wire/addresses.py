"""Addresses of hubs and nodes as messages may hold them: scheme, host, port, perhaps a path."""

import re
from urllib.parse import urlsplit


def is_address(text: str) -> bool:
    """True for an http(s) address without user, query and fragment; whether plain HTTP will do is not said here."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(usable) and not ("@" in parts.netloc or parts.query or parts.fragment or re.search(r"[\s\\]", text))
