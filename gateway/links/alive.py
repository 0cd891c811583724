"""The answer to `GET /v1/health`, the same on hubs and nodes (docs/wire.md)."""

from aiohttp import web


async def alive(_: web.Request) -> web.Response:
    """That this process answers at all; whether it does its work is /v1/ready's to say."""
    return web.Response(body=b'{"status":"ok"}', content_type="application/json")
