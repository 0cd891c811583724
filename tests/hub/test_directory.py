"""The operator's document at the hub: taken over when it changes, never going back, and never the hub's own word."""

import asyncio
import os
import shutil

import pytest

from gateway.errors import (
    ConfigurationError,
    FederationError,
    FederationRolledBack,
    FederationStale,
    NotAuthentic,
    PatchworkError,
)
from gateway.hub import directory
from gateway.hub.keys import HUB_KEY_FILE
from gateway.wire.federation import verify_document
from gateway.wire.freshness import verify_freshness
from gateway.wire.keys import SigningKey
from gateway.wire.limits import DOCUMENT_LIFETIME_S, FRESHNESS_LIFETIME_S
from tests.hub.kit import ASKER, Federated, RunningHub, running_hub


async def _served(hub: RunningHub, federation: Federated) -> int:
    """The seq that a node learns, after checking both signatures as a node does."""
    async with hub.client.get(hub.url("/v1/federation")) as response:
        assert response.status == 200
        served = await response.json()
    assert served.keys() == {"document", "freshness"}
    now = federation.clock.now()
    document = verify_document(served["document"], operator_key=federation.operator.verify_key(), now=now)
    freshness = verify_freshness(served["freshness"], document, now)
    assert now < freshness.expires_at <= now + FRESHNESS_LIFETIME_S
    return freshness.seq


async def test_document_is_served_with_a_freshness_that_is_always_new(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        for _ in range(3):
            assert await _served(hub, federation) == 1
            federation.clock.time += 86_400


async def test_changed_file_is_in_force_by_itself(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        federation.suspend(ASKER)
        federation.publish()
        async with asyncio.timeout(5):
            while await _served(hub, federation) != 2:  # noqa: ASYNC110 - the hub watches a file
                await asyncio.sleep(0.1)
        assert hub.hub.directory.federation().active_members() == ()


async def _refuse(hub: RunningHub, expected: type[PatchworkError]) -> None:
    with pytest.raises(expected):
        await hub.hub.directory.refresh()


async def test_refused_files_leave_the_document_in_force(federation: Federated) -> None:
    federation.publish()
    first = federation.file.read_bytes()
    second = federation.publish()
    async with running_hub(federation) as hub:
        federation.file.write_bytes(first)
        await _refuse(hub, FederationRolledBack)
        federation.clock.time += 1
        federation.file.write_bytes(federation.sign(seq=2).token)  # the same seq with another content
        await _refuse(hub, FederationRolledBack)
        federation.file.write_bytes(federation.sign(seq=3, operator=SigningKey.generate()).token)
        await _refuse(hub, NotAuthentic)
        federation.file.write_bytes(second.token[: len(second.token) // 2])
        await _refuse(hub, PatchworkError)
        federation.file.unlink()
        await _refuse(hub, ConfigurationError)
        assert await _served(hub, federation) == 2
        federation.publish()
        await hub.hub.directory.refresh()
        assert await _served(hub, federation) == 3


async def _take_up(hub: RunningHub, federation: Federated, *, seq: int) -> None:
    """The serving hub does so by itself; the clock goes on meanwhile, which the kit's does not."""
    async with asyncio.timeout(5):
        while await _served(hub, federation) != seq:
            federation.clock.time += 1
            await asyncio.sleep(0.1)


async def test_a_suspension_signed_by_a_clock_ahead_is_taken_once_its_time_has_come(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        federation.suspend(ASKER)
        federation.clock.time += 40
        federation.publish()
        federation.clock.time -= 40
        await _refuse(hub, FederationStale)
        await _take_up(hub, federation, seq=2)
        assert hub.hub.directory.federation().active_members() == ()


async def test_a_document_that_came_before_the_key_it_names_is_taken_once_the_key_is_here(
    federation: Federated,
) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        folder, old = federation.folder / f"keys-{federation.hub_key.kid}", federation.hub_key
        federation.hub_key = SigningKey.generate()
        federation.publish()
        await _refuse(hub, FederationError)
        federation.hub_key.save(folder / f"hub-{federation.hub_key.kid}.pem")
        async with asyncio.timeout(5):
            while hub.hub.directory.federation().seq != 2:
                federation.clock.time += 1
                await asyncio.sleep(0.1)
        assert old.kid not in hub.hub.directory.federation().hub_keys


async def test_a_file_that_stays_refused_is_logged_once(
    federation: Federated, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "FILE_CHECK_S", 0.01)
    old = federation.publish()
    federation.publish()
    async with running_hub(federation):
        federation.file.write_bytes(old.token)
        for _ in range(20):
            federation.clock.time += 1
            await asyncio.sleep(0.02)
    assert caplog.messages.count("federation.refused") == 1


@pytest.mark.parametrize("stray", ["hub-backup.pem", f"hub-{'A' * 43}.pem"])
async def test_a_stray_file_among_the_keys_stops_no_suspension(federation: Federated, stray: str) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        folder = federation.folder / f"keys-{federation.hub_key.kid}"
        shutil.copy(folder / HUB_KEY_FILE, folder / stray)
        federation.suspend(ASKER)
        federation.publish()
        await hub.hub.directory.refresh()
        assert await _served(hub, federation) == 2


async def test_restart_is_no_way_back(federation: Federated) -> None:
    old = federation.publish()
    federation.publish()
    async with running_hub(federation):
        pass
    federation.file.write_bytes(old.token)
    async with running_hub(federation) as hub:
        assert await _served(hub, federation) == 2


async def test_expired_document_answers_503_everywhere_until_the_operator_renews_it(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        federation.clock.time += DOCUMENT_LIFETIME_S + 1
        for path in ("/v1/federation", "/v1/sealing-keys", "/v1/ready"):
            async with hub.client.get(hub.url(path)) as response:
                assert response.status == 503, path
        refused = await hub.ask(ASKER)
        assert (refused.status, refused.code) == (503, "federation-stale")
        federation.publish()
        await hub.hub.directory.refresh()
        assert await _served(hub, federation) == 2


async def _start(federation: Federated) -> None:
    async with running_hub(federation):
        pass


async def test_hub_does_not_start_without_a_document_in_force(federation: Federated) -> None:
    with pytest.raises(ConfigurationError, match=r"federation\.jws"):
        await _start(federation)
    federation.publish()
    federation.clock.time += DOCUMENT_LIFETIME_S + 60
    with pytest.raises(FederationStale):
        await _start(federation)


async def test_hub_does_not_serve_a_document_that_does_not_name_its_key(federation: Federated) -> None:
    federation.publish()
    federation.hub_key = SigningKey.generate()
    with pytest.raises(FederationError, match="this hub's key"):
        await _start(federation)


async def test_another_operators_key_does_not_reset_what_was_accepted(federation: Federated) -> None:
    federation.publish()
    await _start(federation)
    federation.operator = SigningKey.generate()
    federation.publish()
    with pytest.raises(ConfigurationError, match="operator key"):
        await _start(federation)


async def test_file_that_never_ends_is_not_read(federation: Federated) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        with federation.file.open("wb") as file:
            os.truncate(file.fileno(), 2**34)
        with pytest.raises(ConfigurationError, match="larger"):
            await hub.hub.directory.refresh()
