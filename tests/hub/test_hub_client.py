"""What a node says to a hub, byte for byte, and what it refuses of a hub's replies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.errors import HubError, MalformedMessage
from gateway.links.hub_client import HubClient
from gateway.wire.keys import SigningKey
from gateway.wire.request import verify_header
from tests.hub.kit import ASKER, FEDERATION, SteppingClock

Handler = Callable[[web.Request], Awaitable[web.Response]]

CLOCK = SteppingClock()
KEY = SigningKey.generate()


@asynccontextmanager
async def client_of(handler: Handler) -> AsyncIterator[HubClient]:
    """A client whose hub answers every request with `handler`."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/"))
        yield HubClient(session, url, member=ASKER, federation=FEDERATION, key=lambda: KEY, clock=CLOCK)


async def test_what_is_fetched_is_fetched_without_saying_who_asks() -> None:
    seen = []

    async def reply(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, request.headers.get("Authorization"), await request.read()))
        return web.json_response({"document": "d", "freshness": "f", "sealing_keys": {"trust": "s"}})

    async with client_of(reply) as hub:
        assert await hub.federation() == ("d", "f")
        assert await hub.sealing_keys() == {"trust": "s"}
    assert seen == [("GET", "/v1/federation", None, b""), ("GET", "/v1/sealing-keys", None, b"")]


async def test_a_published_key_is_signed_and_sent_as_what_it_is() -> None:
    seen = []

    async def reply(request: web.Request) -> web.Response:
        header = verify_header(
            request.headers["Authorization"],
            lambda _: {KEY.verify_key().kid: KEY.verify_key()},
            method=request.method,
            path=request.raw_path,
            aud=FEDERATION,
            now=CLOCK.now(),
        )
        seen.append((header.with_body(await request.read()).issuer, request.method, request.content_type))
        return web.Response(status=204)

    async with client_of(reply) as hub:
        await hub.publish_sealing_key("a.b.c")
    assert seen == [(ASKER, "PUT", "application/jose")]


@pytest.mark.parametrize(
    "reply", [{}, {"document": 1, "freshness": "f"}, {"document": "d"}, {"document": "", "freshness": "f"}, []], ids=str
)
async def test_a_reply_without_document_and_freshness_is_refused(reply: object) -> None:
    async def send(_: web.Request) -> web.Response:
        return web.json_response(reply)

    async with client_of(send) as hub:
        with pytest.raises(MalformedMessage):
            await hub.federation()


async def test_a_redirect_is_not_followed() -> None:
    async def away(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://192.0.2.1/")

    async with client_of(away) as hub:
        with pytest.raises(HubError, match="refused \\(307\\)"):
            await hub.federation()
