"""Pages that stop: at once if nothing is under way, and what is under way ends side by side."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.web.background import Job
from tests.federation import federation

HOUSING = "housing"
REQUEST_S = 2.6  # that a request under way is given; half of it if it only waits for its body
WORK_S = 1.2  # that a job takes to end itself
SOON_S = 0.7


async def test_pages_stop_at_once_or_when_the_slowest_of_what_is_under_way_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.http.SHUTDOWN_S", REQUEST_S)
    async with federation(tmp_path, [HOUSING], web=True) as north:
        visitor = north.browser(HOUSING)
        assert (await visitor.get("/sign-in")).status == 200  # a connection that the browser keeps
        began = time.monotonic()
        await north.stop(HOUSING)
        assert time.monotonic() - began < SOON_S

        await north.start(HOUSING)
        site = north.pages[HOUSING].site
        host, port = str(visitor.url.host), visitor.url.port
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST /sign-in HTTP/1.1\r\nHost: housing\r\nContent-Length: 100\r\n\r\nlogin=")

        async def work(_: Job) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(WORK_S)  # as an import that writes its batch to the end

        site.background.start("import", work, owner="")
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await north.stop(HOUSING)
        took = time.monotonic() - began
        writer.close()
    assert WORK_S <= took < WORK_S + SOON_S, "not one after the other"
