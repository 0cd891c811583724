"""Counts what comes to a door, by declared route and status, while anybody watches."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.http import route_of
from gateway.telemetry.watch import HubWatch, NodeWatch

BROKEN_OFF = "broken-off"  # the client has gone, or the response had begun when it failed


def count_requests(watch: NodeWatch | HubWatch) -> Middleware:
    """The outermost middleware of a door: it sees what is sent, refusals too."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        figures = watch.figures
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
