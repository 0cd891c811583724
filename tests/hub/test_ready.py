"""Alive is one thing, taking questions another: what a hub says of itself to whoever sends it work."""

import asyncio
from pathlib import Path

import pytest

from gateway.database import writable
from gateway.database.sqlite import open_sqlite
from gateway.database.writable import Writable
from gateway.errors import StorageError
from gateway.wire.limits import DOCUMENT_LIFETIME_S
from gateway.wire.paths import HEALTH_PATH, READY_PATH
from tests.hub.kit import Federated, RunningHub, envelope, hang, running_hub, stub_node


async def _say(hub: RunningHub, path: str) -> tuple[int, dict[str, object]]:
    async with hub.client.get(hub.url(path)) as response:
        return response.status, await response.json()


def _code(said: dict[str, object]) -> object:
    return said["issue"][0]["details"]["coding"][0]["code"]  # type: ignore[index]  # an OperationOutcome


async def test_a_hub_that_takes_questions_says_so_and_under_which_document(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        assert await _say(hub, HEALTH_PATH) == (200, {"status": "ok"})
        assert await _say(hub, READY_PATH) == (
            200,
            {"status": "ready", "federation": "test-federation", "seq": federation.seq},
        )


async def test_a_hub_without_a_document_in_force_is_alive_and_not_ready(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        federation.clock.time += DOCUMENT_LIFETIME_S + 1
        status, said = await _say(hub, READY_PATH)
        assert (status, _code(said)) == (503, "federation-stale")
        assert await _say(hub, HEALTH_PATH) == (200, {"status": "ok"})


async def test_a_hub_whose_database_takes_no_write_is_alive_and_not_ready(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        await hub.hub.database.close()
        status, said = await _say(hub, READY_PATH)
        assert (status, _code(said)) == (503, "storage")
        assert (await _say(hub, HEALTH_PATH))[0] == 200


async def test_a_hub_that_stops_says_so_at_once_and_ends_what_it_has_under_way(federation: Federated) -> None:
    async with stub_node(hang) as node:
        federation.add("silent", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            question = envelope("silent", deadline_ms=400)
            under_way = asyncio.create_task(hub.ask(body=question.to_json()))
            await node.asked.wait()
            hub.hub.turns.stop()
            status, said = await _say(hub, READY_PATH)
            assert (status, _code(said)) == (503, "overloaded")
            refused = await hub.ask("silent")
            assert (refused.status, refused.code) == (503, "overloaded")
            assert not under_way.done()
            assert hub.coverage(await under_way, question.id) == {"silent": "timeout"}
            assert await hub.hub.turns.ended(1)
    assert len(node.bodies) == 1


async def test_whether_a_database_takes_writes_is_found_out_by_writing_and_not_at_every_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await open_sqlite(tmp_path / "hub.db", schema="hub")
    log = tmp_path / "hub.db-wal"
    asked = Writable(database)
    before = log.stat().st_size
    await asked.check()
    once = log.stat().st_size
    assert once > before
    await asked.check()
    assert log.stat().st_size == once
    await database.close()
    await asked.check()  # as it was a moment ago
    monkeypatch.setattr(writable, "CHECK_S", 0.0)
    for _ in range(2):
        with pytest.raises(StorageError):
            await asked.check()
