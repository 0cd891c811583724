"""What the hub's fan-out costs over bare HTTP requests to the same nodes, and what one hanging node costs the others.

Stub nodes and hub run in processes of their own; the hub is real, with its database on disk. Questions through the hub
and bare requests take turns, so that both see the same machine. Bare: one aiohttp client posts the same bodies to the
same stubs at once and reads the answers; no signatures, no stream to an asker.

    python -m tests.bench.bench_fanout
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import uvloop

from gateway.wire.envelope import member_envelope
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.paths import ANSWERS_PATH, QUERIES_PATH
from gateway.wire.request import sign_request
from tests.hub.hub_process import RealClock, hub_process
from tests.hub.kit import ASKER, FEDERATION, Federated, envelope, federated

ROUNDS_100 = 40
ROUNDS_1000 = 5
ROUNDS_SLOW = 25
HANGING = "hanging"


def run() -> dict[str, float]:
    """Measure all; takes about 20 s."""
    return uvloop.run(_measure())


async def _measure() -> dict[str, float]:
    async with AsyncExitStack() as stack:
        ports = await asyncio.to_thread(lambda: stack.enter_context(Stubs(1_000)).ports)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        federation = federated(folder)
        names = [f"member-{number:04}" for number in range(1_000)]
        for name, port in zip(names, ports.answering, strict=True):
            federation.add(name, endpoint=f"http://127.0.0.1:{port}")
        federation.add(HANGING, endpoint=f"http://127.0.0.1:{ports.hanging}")
        federation.clock = RealClock()
        federation.publish()
        hub = await asyncio.to_thread(lambda: _Hub(federation, *stack.enter_context(hub_process(federation))))
        hub.client = await stack.enter_async_context(aiohttp.ClientSession())
        bare = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        figures = await _over_raw(hub, bare, names[:100], ROUNDS_100)
        result = {
            "fanout_100_over_raw": figures["hub"] / figures["bare"],
            "fanout_100_ms": figures["hub"] * 1000,
            "fanout_100_raw_ms": figures["bare"] * 1000,
            "slow_node_penalty": await _slow_node_penalty(hub, names[:99]),
        }
        figures = await _over_raw(hub, bare, names, ROUNDS_1000)
        return result | {
            "fanout_1000_ms": figures["hub"] * 1000,
            "fanout_1000_raw_ms": figures["bare"] * 1000,
            "fanout_rss_mb": _resident_mb(hub.pid),
        }


async def _over_raw(hub: _Hub, bare: aiohttp.ClientSession, names: list[str], rounds: int) -> dict[str, float]:
    """Median seconds of both ways, interleaved, after two rounds that open the connections."""
    ways: dict[str, Callable[[], Awaitable[float]]] = {
        "hub": lambda: _through_hub(hub, names, len(names)),
        "bare": lambda: _bare(bare, hub.federation, names),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds + 2):
        for way, measure in ways.items():
            taken[way].append(await measure())
    return {way: statistics.median(seconds[2:]) for way, seconds in taken.items()}


async def _slow_node_penalty(hub: _Hub, names: list[str]) -> float:
    """Median time to 99 answers with one node hanging, over none hanging."""
    with_hanging, without = [], []
    for _ in range(ROUNDS_SLOW):
        with_hanging.append(await _through_hub(hub, [*names, HANGING], len(names)))
        without.append(await _through_hub(hub, names, len(names)))
    return statistics.median(with_hanging[2:]) / statistics.median(without[2:])


async def _through_hub(hub: _Hub, names: list[str], answers: int) -> float:
    """Seconds from posting a question until `answers` answers have arrived: the first lines, as who hangs has none."""
    body = envelope(*names).to_json()
    headers = {"Authorization": hub.authorise(body)}
    began = time.perf_counter()
    async with hub.client.post(hub.url, data=body, headers=headers) as response:
        assert response.status == 200, await response.text()
        received, stream = 0, bytearray()
        while received < answers:
            chunk = await response.content.readany()
            assert chunk, "the stream ended early"
            received += chunk.count(b"\n")
            stream += chunk
        taken = time.perf_counter() - began
        assert stream.count(b'"answered"') >= answers, "a stub did not answer"
        if answers < len(names):
            response.close()  # nobody waits for the one that hangs
        else:
            await response.read()
        return taken


async def _bare(client: aiohttp.ClientSession, federation: Federated, names: list[str]) -> float:
    """Seconds for the same bodies to the same nodes without a hub; making them is not counted."""
    question = envelope(*names)
    posts = [
        (federation.members[name].endpoint or "", member_envelope(question, name, ASKER).to_json()) for name in names
    ]

    async def post(endpoint: str, body: bytes) -> int:
        async with client.post(endpoint + ANSWERS_PATH, data=body) as response:
            return len(await response.read())

    began = time.perf_counter()
    sizes = await asyncio.gather(*(post(endpoint, body) for endpoint, body in posts))
    taken = time.perf_counter() - began
    assert set(sizes) == {SEALED_ANSWER_BYTES}
    return taken


def _resident_mb(pid: int) -> float:
    with Path(f"/proc/{pid}/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class _Hub:
    """The hub's process as its one asker sees it."""

    client: aiohttp.ClientSession

    def __init__(self, federation: Federated, pid: int, port: int) -> None:
        self.federation = federation
        self.pid = pid
        self.url = f"http://127.0.0.1:{port}{QUERIES_PATH}"

    def authorise(self, body: bytes) -> str:
        return sign_request(
            self.federation.keys[ASKER],
            iss=ASKER,
            aud=FEDERATION,
            method="POST",
            path=QUERIES_PATH,
            body=body,
            now=time.time(),
            jti=str(uuid4()),
        )


class _Ports:
    def __init__(self, answering: list[int], hanging: int) -> None:
        self.answering = answering
        self.hanging = hanging


class Stubs:
    """The nodes' process."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __enter__(self) -> Stubs:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        self._process = context.Process(target=_serve_stubs, args=(there, self._count), daemon=True)
        self._process.start()
        self.ports = _Ports(*here.recv())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


class _StubProtocol(asyncio.Protocol):
    """Answers each complete request with the same bytes: as little work as a node could do."""

    _ANSWER = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % SEALED_ANSWER_BYTES
    ) + b"x" * SEALED_ANSWER_BYTES

    def __init__(self, *, hang: bool) -> None:
        self._hang = hang
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length and not self._hang:
            self._received.clear()
            self._transport.write(self._ANSWER)


def _serve_stubs(pipe: Connection, count: int) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(lambda: _StubProtocol(hang=False), "127.0.0.1", 0) for _ in range(count)]
        hanging = await loop.create_server(lambda: _StubProtocol(hang=True), "127.0.0.1", 0)
        pipe.send(([server.sockets[0].getsockname()[1] for server in servers], hanging.sockets[0].getsockname()[1]))
        await asyncio.Event().wait()

    uvloop.run(serve())


if __name__ == "__main__":
    sys.stdout.write(json.dumps({key: round(value, 3) for key, value in run().items()}, indent=2) + "\n")
