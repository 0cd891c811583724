"""The first page: that of the navigation's entries which somebody's roles open first."""

from aiohttp import web

from gateway.web.navigation import entries_of
from gateway.web.paths import HOME
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

routes = web.RouteTableDef()


@routes.get(HOME)
@page()
async def go_to_first_page(_request: web.Request, _site: Site, user: SignedIn) -> web.StreamResponse:
    """Send somebody on to where their work begins."""
    raise web.HTTPSeeOther(next(entry for entry in entries_of(user) if entry.begins).path)
