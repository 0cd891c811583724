"""Asks a directory over HTTPS: no redirect is followed, nothing large or slow is waited for, no cookie is kept."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import aiohttp

FETCH_S = 7.0  # a sign-in makes up to three requests, within the time of a page
CONNECT_S = 3.0
MAX_BYTES = 256 * 1024

Json = dict[str, Any]


class DirectoryFailed(Exception):
    """The directory does not sign somebody in; `reason` is a code for the log, `unreachable` if it may pass."""

    def __init__(self, reason: str, *, unreachable: bool = False) -> None:
        """`reason` names what did not hold, and nothing that came."""
        super().__init__(reason)
        self.reason = reason
        self.unreachable = unreachable


def directory_session() -> aiohttp.ClientSession:
    """For fetch_json() alone; to be closed."""
    return aiohttp.ClientSession(
        auto_decompress=False,  # a small answer must not grow into a large one
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=16),
        timeout=aiohttp.ClientTimeout(total=FETCH_S, connect=CONNECT_S),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


def basic(user: str, password: str) -> str:
    """An Authorization header, each half form-encoded first (RFC 6749, section 2.3.1)."""
    return "Basic " + b64encode(f"{quote_plus(user)}:{quote_plus(password)}".encode()).decode()


async def fetch_json(
    session: aiohttp.ClientSession,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Json:
    """GET, or POST of a form: the JSON object that comes with status 200. Raises DirectoryFailed."""
    try:
        async with session.request(
            "GET" if form is None else "POST", url, data=form, headers=headers, allow_redirects=False
        ) as response:
            if response.status != 200:  # noqa: PLR2004 - OK
                raise DirectoryFailed(f"http-{response.status}", unreachable=response.status >= 500)  # noqa: PLR2004
            if response.content_type != "application/json" and not response.content_type.endswith("+json"):
                raise DirectoryFailed("not-json")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise DirectoryFailed("too-large")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise DirectoryFailed("no-answer", unreachable=True) from error
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise DirectoryFailed("not-json") from None
    if not isinstance(found, dict):
        raise DirectoryFailed("not-json")
    return found
