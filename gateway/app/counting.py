"""Counts what comes to a door, by declared route and status, while anybody watches."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.http import route_of
from gateway.telemetry.watch import HubWatch, NodeWatch

BROKEN_OFF = "broken-off"  # the client has gone, or the response had begun when it failed


def count_requests(*watches: NodeWatch | HubWatch, at: Callable[[web.Request], int] = lambda _: 0) -> Middleware:
    """The outermost middleware of a door: it sees what is sent, refusals too. `at`: which of `watches` counts it."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        figures = watches[at(request)].figures
        if figures is None:
            return await handler(request)
        route, status = route_of(request), BROKEN_OFF
        under_way = figures.in_flight(route)
        under_way.inc()
        try:
            response = await handler(request)
            status = str(response.status)
            return response
        finally:
            under_way.dec()
            figures.request(route, status).inc()

    return count
