"""The limit of time that a request has (gateway/http.py sets it), and the one way out of it."""

import asyncio

from aiohttp import web

TIME_LIMIT = web.RequestKey("time_limit", asyncio.Timeout)


def lift_time_limit(request: web.Request) -> None:
    """From now on this request may take as long as it likes: a link has been opened, by somebody who may."""
    if TIME_LIMIT in request:
        request[TIME_LIMIT].reschedule(None)
