"""Serves what assets.py has read. A name stands for one content for ever, so browsers keep it for a year."""

from aiohttp import web

from gateway.web.assets import STATIC_PATH
from gateway.web.signed_in import for_everybody
from gateway.web.site import SITE

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}

routes = web.RouteTableDef()


@routes.get(STATIC_PATH + "{name}")
@for_everybody
async def serve_file(request: web.Request) -> web.StreamResponse:
    """One file of the manifest, compressed for whoever takes it so. The same for everybody: no account is asked for."""
    asset = request.app[SITE].assets.files.get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    charset = "utf-8" if asset.content_type.startswith("text/") else None
    if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers = _HEADERS | {"Content-Encoding": "gzip"}
        return web.Response(body=asset.gzipped, content_type=asset.content_type, charset=charset, headers=headers)
    return web.Response(body=asset.plain, content_type=asset.content_type, charset=charset, headers=_HEADERS)
