"""Where a browser may be sent: to paths of these pages, and never to another site."""

import re
from urllib.parse import urlsplit

from aiohttp import web

from gateway.settings import WebTable

HOME = "/"

# One slash, then anything that neither a browser nor a proxy reads as another host (`//`, `/\\`) or as a header's end.
_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


def own_path(text: str) -> str:
    """A path of ours as it was given, or that of the first page."""
    return text if len(text) <= 1_000 and _OWN_PATH.fullmatch(text) else HOME  # noqa: PLR2004 - longer than any of ours


def path_of_referer(request: web.Request, table: WebTable) -> str:
    """The page from which a link was followed, if it is one of ours; else the first page."""
    referer = request.headers.get("Referer", "")
    parts = urlsplit(referer) if referer.startswith(f"{table.url}/") else None
    return HOME if parts is None else own_path(parts.path)
