"""A door that is closed: at once where nothing is under way, and after a set time whatever is."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from gateway.http import Listener, listen, protect
from tests.hub.dialled import dialled, silent
from tests.hub.kit import Federated, hang, running_hub

SHUTDOWN_S = 0.6
SOON_S = 0.5  # on a busy machine; each of these takes some milliseconds

UPLOAD = b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\nabc"
NEVER_ANSWERED = b"GET /hang HTTP/1.1\r\nHost: hub\r\n\r\n"


@asynccontextmanager
async def door() -> AsyncIterator[Listener]:
    """One that reads bodies, and has a page that hangs."""

    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    application = web.Application()
    application.router.add_route("*", "/", read)
    application.router.add_get("/hang", hang)
    listener = await listen(protect(application, time_limit_s=90), host="127.0.0.1", port=0)
    try:
        yield listener
    finally:
        await listener.close()


async def seconds(listener: Listener) -> float:
    await asyncio.sleep(0.05)  # for what was sent to arrive
    began = time.monotonic()
    await listener.close()
    return time.monotonic() - began


async def test_connections_on_which_nothing_happens_keep_nobody_up() -> None:
    async with door() as listener, aiohttp.ClientSession() as kept, AsyncExitStack() as stack:
        for _ in range(3):
            async with kept.get(f"http://127.0.0.1:{listener.port}/") as response:
                await response.read()
        for sent in (b"", b"GET / HTTP/1.1\r\n"):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            stack.callback(writer.close)
            writer.write(sent)
        took = await seconds(listener)
    assert took < SOON_S


@pytest.mark.parametrize("sent", [UPLOAD, NEVER_ANSWERED], ids=["upload that stops", "request that hangs"])
async def test_requests_under_way_keep_a_door_up_no_longer_than_the_set_time(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr("gateway.http.SHUTDOWN_S", SHUTDOWN_S)
    async with door() as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(sent)
        took = await seconds(listener)
        writer.close()
        assert took < SHUTDOWN_S + SOON_S - 0.1


async def test_hub_with_links_and_nothing_under_way_stops_at_once(federation: Federated) -> None:
    members = [federation.add(f"member-{number}", endpoint=None).id for number in range(5)]
    federation.publish()
    async with running_hub(federation) as hub, AsyncExitStack() as stack:
        for member in members:
            await stack.enter_async_context(dialled(hub, member, silent))
        async with hub.client.get(hub.url("/v1/health")) as response:
            await response.read()
        began = time.monotonic()
        hub.hub.turns.stop()
        assert await hub.hub.turns.ended(5)
        await hub.links.close(within_s=3)
        await hub.listener.close()
        assert time.monotonic() - began < 2 * SOON_S
