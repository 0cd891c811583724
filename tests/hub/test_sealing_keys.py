"""Sealing keys at the hub: published by their member alone, the newest kept, nothing that has ended passed on."""

from pathlib import Path

import pytest

from gateway.wire.keys import SigningKey
from gateway.wire.limits import SEALING_KEY_LIFETIME_S
from gateway.wire.paths import SEALING_KEYS_PATH
from gateway.wire.sealing_keys import SealingKeyRing, sign_sealing_key
from tests.hub.kit import ASKER, FEDERATION, Federated, RunningHub, running_hub


@pytest.fixture
def ring(tmp_path: Path) -> SealingKeyRing:
    """A member's own sealing keys."""
    folder = tmp_path / "sealing"
    folder.mkdir()
    return SealingKeyRing(folder)


def _statement(ring: SealingKeyRing, federation: Federated, *, key: SigningKey | None = None) -> bytes:
    now = federation.clock.now()
    ring.rotate(now)
    public = ring.current(now).public
    return sign_sealing_key(public, key or federation.keys[ASKER], member=ASKER, federation=FEDERATION).encode()


async def _publish(hub: RunningHub, statement: bytes, *, member: str = ASKER) -> int:
    headers = {"Authorization": hub.authorise(statement, member=member, method="PUT", path=SEALING_KEYS_PATH)}
    async with hub.client.put(hub.url(SEALING_KEYS_PATH), data=statement, headers=headers) as response:
        return response.status


async def _served(hub: RunningHub) -> dict[str, str]:
    async with hub.client.get(hub.url(SEALING_KEYS_PATH)) as response:
        assert response.status == 200
        served = await response.json()
    assert served.keys() == {"sealing_keys"}
    keys: dict[str, str] = served["sealing_keys"]
    return keys


async def test_published_key_is_served_as_signed_and_survives_a_restart(
    federation: Federated, ring: SealingKeyRing
) -> None:
    federation.publish()
    statement = _statement(ring, federation)
    async with running_hub(federation) as hub:
        assert await _served(hub) == {}
        assert await _publish(hub, statement) == 204
        assert await _publish(hub, statement) == 204  # again, as a node does that lost the answer
        assert await _served(hub) == {ASKER: statement.decode()}
    async with running_hub(federation) as hub:
        assert await _served(hub) == {ASKER: statement.decode()}


async def test_newer_key_replaces_and_older_is_refused(federation: Federated, ring: SealingKeyRing) -> None:
    federation.publish()
    older = _statement(ring, federation)
    federation.clock.time += SEALING_KEY_LIFETIME_S - 86_400
    federation.publish()
    newer = _statement(ring, federation)
    assert newer != older
    async with running_hub(federation) as hub:
        assert await _publish(hub, newer) == 204
        assert await _publish(hub, older) == 409
        assert await _served(hub) == {ASKER: newer.decode()}


async def test_expired_key_is_dropped(federation: Federated, ring: SealingKeyRing) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        await _publish(hub, _statement(ring, federation))
        assert await _served(hub) != {}
        federation.clock.time += SEALING_KEY_LIFETIME_S - 10
        federation.publish()
        await hub.hub.directory.refresh()
        assert await _served(hub) != {}
        federation.clock.time += 60
        assert await _served(hub) == {}


async def test_key_of_a_suspended_member_is_dropped_at_once(federation: Federated, ring: SealingKeyRing) -> None:
    federation.publish()
    async with running_hub(federation) as hub:
        await _publish(hub, _statement(ring, federation))
        federation.suspend(ASKER)
        federation.publish()
        await hub.hub.directory.refresh()
        assert await _served(hub) == {}


async def test_nobody_publishes_for_somebody_else(federation: Federated, ring: SealingKeyRing) -> None:
    federation.add("housing", endpoint=None)
    federation.publish()
    statement = _statement(ring, federation)
    forged = _statement(ring, federation, key=federation.keys["housing"])
    async with running_hub(federation) as hub:
        assert await _publish(hub, statement, member="housing") == 401
        assert await _publish(hub, forged) == 401
        assert await _publish(hub, forged, member="housing") == 403
        async with hub.client.put(hub.url(SEALING_KEYS_PATH), data=statement) as response:
            assert response.status == 400
        assert await _publish(hub, b"x" * 5_000) == 413
        assert await _served(hub) == {}


async def test_publication_cannot_be_repeated_by_who_overheard_it(federation: Federated, ring: SealingKeyRing) -> None:
    federation.publish()
    statement = _statement(ring, federation)
    async with running_hub(federation) as hub:
        headers = {"Authorization": hub.authorise(statement, method="PUT", path=SEALING_KEYS_PATH)}
        statuses = []
        for _ in range(2):
            async with hub.client.put(hub.url(SEALING_KEYS_PATH), data=statement, headers=headers) as response:
                statuses.append(response.status)
    assert statuses == [204, 409]
