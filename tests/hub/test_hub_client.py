"""What a node says to a hub, byte for byte, and what it refuses of a hub's replies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.errors import HubError, MalformedMessage
from gateway.links import bounded, hub_client
from gateway.links.bounded import MAX_HEAD_BYTES, BoundedConnector
from gateway.links.hub_client import HubClient, node_connector
from gateway.wire.keys import SigningKey
from gateway.wire.request import verify_header
from tests.hub.kit import ASKER, FEDERATION, SteppingClock, envelope, raw_node

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


SYSTEM_BUFFERS = 16 * 2**20  # what a machine may take of a sender before anybody reads it
WITHIN_S = 3.0  # far less than what a fetch may take

Sending = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def early_hints(writer: asyncio.StreamWriter) -> None:
    """Before any response."""
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 1_000)
        await writer.drain()


async def endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: %s\r\n" % (b"x" * 4_000))
        await writer.drain()


async def more_than_was_asked_for(writer: asyncio.StreamWriter) -> None:
    """On a connection that is kept for the next request."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    await asyncio.sleep(0.1)
    await early_hints(writer)


@pytest.mark.parametrize("sending", [early_hints, endless_head, more_than_was_asked_for])
async def test_a_hub_that_floods_what_comes_before_or_after_a_response_is_cut_off(sending: Sending) -> None:
    sent = 0
    cut_off = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        write = writer.write

        def count(data: Any) -> None:
            nonlocal sent
            sent += len(data)
            write(data)

        writer.write = count  # type: ignore[method-assign]  # to know what got out
        try:
            await sending(writer)
        finally:
            cut_off.set()

    async with raw_node(flood) as url, aiohttp.ClientSession(connector=node_connector(None)) as session:
        hub = HubClient(session, url, member=ASKER, federation=FEDERATION, key=lambda: KEY, clock=CLOCK)
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises((HubError, MalformedMessage)):
                await hub.federation()
            await cut_off.wait()
        assert sent < SYSTEM_BUFFERS


async def test_a_hub_whose_head_comes_a_byte_at_a_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "DIRECTORY_S", 0.3)
    monkeypatch.setattr(hub_client, "GRACE_S", 0.1)

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while True:
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0.02)

    async with raw_node(slowly) as url, aiohttp.ClientSession(connector=node_connector(None)) as session:
        hub = HubClient(session, url, member=ASKER, federation=FEDERATION, key=lambda: KEY, clock=CLOCK)
        async with asyncio.timeout(WITHIN_S):
            with pytest.raises(HubError):
                await hub.federation()
            with pytest.raises(HubError):
                async for _ in hub.ask(envelope("housing", deadline_ms=200), connect_s=0.1):
                    pass


async def test_the_longest_federation_document_arrives_and_one_byte_more_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_client, "MAX_FEDERATION_BYTES", 200_000)
    frame = len(b'{"document":"","freshness":"f"}')
    length = 0

    async def reply(_: web.Request) -> web.Response:
        return web.Response(body=b'{"document":"%s","freshness":"f"}' % (b"x" * length))

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", reply)
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession(connector=node_connector(None)) as session,
    ):
        url = str(server.make_url("/"))
        hub = HubClient(session, url, member=ASKER, federation=FEDERATION, key=lambda: KEY, clock=CLOCK)
        length = 200_000 - frame
        for _ in range(2):  # over the same connection
            assert len((await hub.federation())[0]) == length
        length += 1
        with pytest.raises(MalformedMessage):
            await hub.federation()


async def test_frames_of_a_link_are_not_counted_and_those_of_no_link_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MAX_HEAD_BYTES", 1_000)
    text = "x" * 1_000

    async def upgrade(request: web.Request) -> web.WebSocketResponse:
        link = web.WebSocketResponse()
        await link.prepare(request)
        await link.receive()
        for _ in range(20):
            await link.send_str(text)
        await link.close()
        return link

    async def received(links: bool) -> int:
        connector = BoundedConnector(max_reply_bytes=MAX_HEAD_BYTES // 2, links=links)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect(server.make_url("/")) as link,
        ):
            await link.send_str("now")
            return sum([1 async for message in link if message.type is aiohttp.WSMsgType.TEXT])

    application = web.Application()
    application.router.add_get("/", upgrade)
    async with TestServer(application) as server:
        assert await received(links=True) == 20
        assert await received(links=False) < 20
