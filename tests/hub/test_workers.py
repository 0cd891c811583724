"""`patchwork hub serve --workers N`: several processes, one hub."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.wire.paths import QUERIES_PATH, READY_PATH, SEALING_KEYS_PATH
from gateway.wire.sealing_keys import SealingKeyRing, sign_sealing_key
from tests.hub.hub_process import RealClock
from tests.hub.kit import ASKER, FEDERATION, Federated, StubNode, envelope, federated, hang, stub_node

WORKERS = 2
PER_MINUTE, BURST = 60, 10
FIGURES_PORT = 20_000 + os.getpid() % 10_000  # and the next: below those that the kernel gives out


class Served:
    """A hub that runs as a command does, and how to ask it."""

    def __init__(self, federation: Federated, process: subprocess.Popen[str], log: Path) -> None:
        self.federation = federation
        self.process = process
        self.log = log
        self.port = 0

    def events(self, event: str) -> list[dict[str, object]]:
        lines = [orjson.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def workers(self) -> set[int]:
        """Process ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(child) for child in children.split()}

    async def ask(self, *recipients: str, member: str = ASKER, deadline_ms: int = 2_000) -> tuple[int, list[Any]]:
        """On a connection of its own, which the kernel gives to any of the processes."""
        body = envelope(*recipients, deadline_ms=deadline_ms).to_json()
        headers = {"Authorization": self.federation.authorise(body, member=member)}
        url = f"http://127.0.0.1:{self.port}{QUERIES_PATH}"
        async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as response:
            return response.status, [orjson.loads(line) for line in (await response.read()).splitlines()]

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{self.port}{path}") as response:
            return response.status, await response.json()


@contextmanager
def _served(federation: Federated, *, rate_per_minute: int = 60_000) -> Iterator[Served]:
    folder = federation.folder
    (folder / "keys").mkdir(mode=0o700)
    federation.hub_key.save(folder / "keys" / "hub.pem")
    (folder / "operator.jwk").write_bytes(orjson.dumps(federation.operator.public_jwk()))
    (folder / "hub.toml").write_text(
        f'[hub]\nid = "hub"\nlisten = "127.0.0.1:0"\nrate_per_minute = {rate_per_minute}\n'
        'federation_document = "federation.jws"\noperator_key = "operator.jwk"\n'
        f'[telemetry]\nlisten = "127.0.0.1:{FIGURES_PORT}"\n'
    )
    log = folder / "log"
    process = _start(federation, log)
    served = Served(federation, process, log)
    try:
        _until(lambda: len(served.events("hub.started")) == WORKERS + 1 or process.poll() is not None)
        served.port = int(str(served.events("hub.started")[0]["port"]))
        yield served
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


def _start(federation: Federated, log: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateway.cli", "hub", "serve", "-c", str(federation.folder / "hub.toml")]
    with log.open("wb") as stderr:
        return subprocess.Popen([*command, "--workers", str(WORKERS)], stderr=stderr, text=True)  # noqa: S603 - ours


def _until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def federation(tmp_path: Path) -> Federated:
    """With the machine's clock, which the processes have too."""
    federation = federated(tmp_path)
    federation.clock = RealClock()
    return federation


async def test_they_share_one_rate_replace_one_that_dies_and_end_what_is_under_way_when_told_to_stop(
    federation: Federated,
) -> None:
    async with stub_node() as node, stub_node(hang) as silent:
        federation.add("housing", endpoint=node.endpoint)
        federation.add("silent", endpoint=silent.endpoint)
        federation.publish()
        with _served(federation, rate_per_minute=PER_MINUTE) as hub:
            await _each_shows_figures_of_its_own()
            await _rate_is_shared(hub)
            await _sealing_key_is_served_by_all(hub)
            await _one_that_dies_is_replaced(hub)
            await _what_is_under_way_ends(hub, silent)


async def _each_shows_figures_of_its_own() -> None:
    shown = set()
    async with aiohttp.ClientSession() as client:
        for port in range(FIGURES_PORT, FIGURES_PORT + WORKERS):
            async with client.get(f"http://127.0.0.1:{port}/metrics") as response:
                text = await response.text()
            shown |= {line for line in text.splitlines() if line.startswith("process_start_time_seconds")}
    assert len(shown) == WORKERS


async def _rate_is_shared(hub: Served) -> None:
    began = time.monotonic()
    statuses = [status for status, _ in await asyncio.gather(*(hub.ask("housing") for _ in range(40)))]
    assert BURST <= statuses.count(200) <= BURST + (time.monotonic() - began) * PER_MINUTE / 60
    assert set(statuses) == {200, 429}


async def _sealing_key_is_served_by_all(hub: Served) -> None:
    federation = hub.federation
    folder = federation.folder / "sealing-keys"
    folder.mkdir()
    ring, now, member = SealingKeyRing(folder), federation.clock.now(), "housing"
    ring.rotate(now)
    key = federation.keys[member]
    statement = sign_sealing_key(ring.current(now).public, key, member=member, federation=FEDERATION).encode()
    authorisation = federation.authorise(statement, member=member, method="PUT", path=SEALING_KEYS_PATH)
    url = f"http://127.0.0.1:{hub.port}{SEALING_KEYS_PATH}"
    async with (
        aiohttp.ClientSession() as client,
        client.put(url, data=statement, headers={"Authorization": authorisation}) as response,
    ):
        assert response.status == 204
    await asyncio.sleep(1.5)
    for _ in range(8):
        assert await hub.get(SEALING_KEYS_PATH) == (200, {"sealing_keys": {member: statement.decode()}})


async def _one_that_dies_is_replaced(hub: Served) -> None:
    before = hub.workers()
    assert len(before) == WORKERS
    os.kill(min(before), signal.SIGKILL)
    await asyncio.to_thread(_until, lambda: len(hub.events("hub.started")) == WORKERS + 2)
    assert len(hub.workers()) == WORKERS
    assert hub.workers() & before == before - {min(before)}
    (ended,) = hub.events("hub.worker_ended")
    assert ended["status"] == -signal.SIGKILL
    for _ in range(8):
        assert (await hub.get(READY_PATH))[0] == 200


async def _what_is_under_way_ends(hub: Served, silent: StubNode) -> None:
    workers = hub.workers()
    asked = [asyncio.create_task(hub.ask("silent", member="housing", deadline_ms=1_500)) for _ in range(4)]
    async with asyncio.timeout(10):
        while len(silent.bodies) < len(asked):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    hub.process.send_signal(signal.SIGTERM)
    for status, lines in await asyncio.gather(*asked):
        assert status == 200
        assert lines[0] == {"member": "silent", "outcome": "timeout"}
        assert "coverage" in lines[1]
    assert await asyncio.to_thread(hub.process.wait, 10) == 0
    assert not _alive(workers)


async def test_they_end_when_whoever_started_them_is_killed_and_what_keeps_them_from_starting_is_said(
    federation: Federated,
) -> None:
    federation.publish()
    with _served(federation) as hub:
        workers = hub.workers()
        hub.process.kill()
        await asyncio.to_thread(_until, lambda: not _alive(workers))
        federation.file.write_bytes(b"nothing that an operator signed")
        (federation.folder / "data" / "hub.db").unlink()
        assert await asyncio.to_thread(_start(federation, hub.log).wait, 20) == 1
    assert "the hub cannot start" in hub.log.read_text()


def _alive(processes: set[int]) -> bool:
    return any(Path(f"/proc/{each}").exists() for each in processes)
