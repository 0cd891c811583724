"""Reads the body of a request from another party, never more of it than its kind may have."""

from aiohttp import web


async def read_body(request: web.Request, *, max_bytes: int) -> bytes:
    """The body, of at most `max_bytes`: refused by its announced length before a byte is read, and while reading.

    Raises the HTTP refusals 411 (no length announced), 413 and 415 (compressed).
    """
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType
    if request.content_length is None:
        raise web.HTTPLengthRequired
    if request.content_length > max_bytes:
        raise web.HTTPRequestEntityTooLarge(max_bytes)
    return await request.content.readexactly(request.content_length)
