"""`patchwork hub serve --workers N`: several processes, one hub."""

import asyncio
import signal
import time
from pathlib import Path

import aiohttp
import pytest

from gateway.wire.paths import SEALING_KEYS_PATH
from gateway.wire.sealing_keys import SealingKeyRing, sign_sealing_key
from tests.hub.hub_process import RealClock
from tests.hub.kit import FEDERATION, Federated, StubNode, federated, hang, stub_node
from tests.hub.served import FIGURES_PORT, WORKERS, Served, served, start, until

PER_MINUTE, BURST = 60, 10


@pytest.fixture
def federation(tmp_path: Path) -> Federated:
    """With the machine's clock, which the processes have too."""
    federation = federated(tmp_path)
    federation.clock = RealClock()
    return federation


async def test_they_share_one_rate_and_end_what_is_under_way_when_told_to_stop(
    federation: Federated,
) -> None:
    async with stub_node() as node, stub_node(hang) as silent:
        federation.add("housing", endpoint=node.endpoint)
        federation.add("silent", endpoint=silent.endpoint)
        federation.publish()
        with served(federation, rate_per_minute=PER_MINUTE) as hub:
            await _each_shows_figures_of_its_own()
            await _rate_is_shared(hub)
            await _sealing_key_is_served_by_all(hub)
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
    with served(federation) as hub:
        workers = hub.workers()
        hub.process.kill()
        await asyncio.to_thread(until, lambda: not _alive(workers))
        federation.file.write_bytes(b"nothing that an operator signed")
        (federation.folder / "data" / "hub.db").unlink()
        assert await asyncio.to_thread(start(federation, hub.log).wait, 20) == 1
    assert "the hub cannot start" in hub.log.read_text()


def _alive(processes: set[int]) -> bool:
    return any(Path(f"/proc/{each}").exists() for each in processes)
