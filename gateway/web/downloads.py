"""Files that a page hands out: saved, never opened in the page's own origin."""

import re
from typing import Final

from aiohttp import web

CSV: Final = "text/csv; charset=utf-8"
PDF: Final = "application/pdf"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,100}")


def download(file: bytes, name: str, content_type: str) -> web.Response:
    """A whole file under a name of ours."""
    return web.Response(body=file, headers=download_headers(name, content_type))


def download_headers(name: str, content_type: str) -> dict[str, str]:
    """What makes a browser save it; raises ValueError for a name that is not plainly ours."""
    if not _NAME.fullmatch(name):
        raise ValueError("a download has a plain name")
    return {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
