"""The hub of a test federation as a process of its own, which can be killed, searched and starved."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from gateway.demo.servers import command
from tests.federation import TestFederation

START_S = 30.0


@asynccontextmanager
async def hub_process(north: TestFederation, *, files: int = 0) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """`patchwork hub serve` on the hub's port, once it is well; it logs into its own folder.

    `files`: how many it may have open by the soft limit, as a service manager sets it.
    """
    home = north.folder / "hub"
    serve = command("hub", "serve", "--config", str(home / "hub.toml"))
    if files:
        serve = ["/bin/sh", "-c", f'ulimit -Sn {files}; exec "$@"', "sh", *serve]
    with (home / "log.jsonl").open("ab") as log:
        process = subprocess.Popen(serve, stdout=log, stderr=log)  # noqa: ASYNC220, S603 - returns at once; this very program
    try:
        async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
            while True:
                assert process.poll() is None, "the hub has stopped by itself"
                try:
                    async with session.get(f"http://127.0.0.1:{north.ports['hub']}/v1/health") as response:
                        if response.status == 200:
                            break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()
