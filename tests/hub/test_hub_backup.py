"""A hub is backed up while it serves and put back elsewhere, and takes nothing twice that it saw in between."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
import pytest

from gateway.app.backup_hub import HubPart, HubPutBack, back_up_hub, put_back_hub
from gateway.app.hub import open_hub
from gateway.doctor.gather_hub import examine_hub
from gateway.errors import InputError
from gateway.hub.replay import RESTORED_WAIT_S
from gateway.settings import load_hub
from tests.hub.kit import Federated, envelope

QUESTION = "/v1/queries"


@dataclass(frozen=True)
class Served:
    """A hub that listens, made from its files as `patchwork hub serve` makes it."""

    url: str
    client: aiohttp.ClientSession

    async def ask(self, body: bytes, authorisation: str) -> tuple[int, bytes]:
        headers = {"Authorization": authorisation}
        async with self.client.post(self.url + QUESTION, data=body, headers=headers) as response:
            return response.status, await response.read()

    async def ready(self) -> int:
        async with self.client.get(self.url + "/v1/ready") as response:
            return response.status


@asynccontextmanager
async def _serving(config: Path, federation: Federated) -> AsyncIterator[Served]:
    running = await open_hub(load_hub(config), clock=federation.clock)
    try:
        async with aiohttp.ClientSession() as client:
            yield Served(f"http://127.0.0.1:{running.listener.port}", client)
    finally:
        await running.close()


@pytest.fixture
def config(federation: Federated) -> Path:
    """A hub's folder."""
    home = federation.folder / "home"
    (home / "keys").mkdir(parents=True, mode=0o700)
    federation.hub_key.save(home / "keys" / "hub.pem")
    (home / "operator.jwk").write_bytes(orjson.dumps(federation.operator.public_jwk()))
    (home / "federation.jws").write_bytes(federation.publish().token)
    (home / "hub.toml").write_text(
        '[hub]\nid = "hub"\nlisten = "127.0.0.1:0"\n'
        'federation_document = "federation.jws"\noperator_key = "operator.jwk"\n'
    )
    return home / "hub.toml"


def _parts(federation: Federated, name: str = "backup") -> dict[HubPart, Path]:
    return {HubPart.RECORDS: federation.folder / name, HubPart.KEYS: federation.folder / f"{name}-keys"}


async def _restored(federation: Federated, parts: dict[HubPart, Path], home: str = "new") -> HubPutBack:
    return await put_back_hub(parts, federation.folder / home / "hub.toml", federation.clock)


async def test_what_was_seen_after_the_backup_is_not_taken_again(config: Path, federation: Federated) -> None:
    parts = _parts(federation)
    body = envelope("nobody").to_json()
    async with _serving(config, federation) as hub:
        back_up_hub(load_hub(config), config, parts, federation.clock)
        token = federation.authorise(body)
        status, lines = await hub.ask(body, token)
        assert (status, b"coverage" in lines) == (200, True)
        assert (await hub.ask(body, token))[0] == 409

    done = await _restored(federation, parts)
    new = federation.folder / "new"
    assert not done.configured
    for path in new.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    async with _serving(new / "hub.toml", federation) as hub:
        # Its database has never seen this question, and yet it is not passed on: neither by the same token nor by a
        # fresh one of the same member.
        status, refusal = await hub.ask(body, token)
        assert (status, b"overloaded" in refusal) == (503, True)
        assert (await hub.ask(body, federation.authorise(body)))[0] == 503
        assert await hub.ready() == 503
        federation.clock.time += RESTORED_WAIT_S - 1
        assert (await hub.ask(body, federation.authorise(body)))[0] == 503
    told = await examine_hub(load_hub(new / "hub.toml"), federation.clock)
    assert "takes no questions" in "".join(finding.what for finding in told if finding.check == "restored")
    async with _serving(new / "hub.toml", federation) as hub:  # a restart does not shorten it
        assert await hub.ready() == 503
        federation.clock.time += 2
        assert await hub.ready() == 200
        status, refusal = await hub.ask(body, token)
        assert (status, b"out-of-time" in refusal) == (401, True)
        fresh = envelope("nobody").to_json()
        assert (await hub.ask(fresh, federation.authorise(fresh)))[0] == 200


async def test_a_clock_that_was_ahead_at_the_restore_keeps_a_hub_closed_no_longer(
    config: Path, federation: Federated
) -> None:
    async with _serving(config, federation):
        back_up_hub(load_hub(config), config, _parts(federation), federation.clock)
    federation.clock.time += 3600
    await _restored(federation, _parts(federation))
    federation.clock.time -= 3600
    async with _serving(federation.folder / "new" / "hub.toml", federation) as hub:
        assert await hub.ready() == 503
        federation.clock.time += RESTORED_WAIT_S + 1
        assert await hub.ready() == 200


async def test_keys_are_kept_apart_and_what_is_damaged_or_in_the_way_is_refused(
    config: Path, federation: Federated
) -> None:
    async with _serving(config, federation):
        pass
    parts = _parts(federation)
    _, left_out = back_up_hub(load_hub(config), config, parts, federation.clock)
    assert left_out == ()
    records = {path.name for path in parts[HubPart.RECORDS].rglob("*") if path.is_file()}
    assert records == {"manifest.json", "hub.db", "hub.toml", "federation.jws", "operator.jwk"}
    kept = {path.name for path in parts[HubPart.KEYS].iterdir()}
    assert kept == {"manifest.json", "hub.pem", "witness.pem"}

    async def refused(given: dict[HubPart, Path], words: str) -> None:
        with pytest.raises(InputError, match=words):
            await _restored(federation, given)
        assert not (federation.folder / "new").exists()

    await refused({HubPart.RECORDS: parts[HubPart.RECORDS]}, "the keys are not there")
    await refused({**parts, HubPart.KEYS: parts[HubPart.RECORDS]}, "holds the part hub of a backup")
    manifest = parts[HubPart.KEYS] / "manifest.json"
    noted = orjson.loads(manifest.read_bytes())
    manifest.write_bytes(orjson.dumps({**noted, "hub": "hub-2"}))
    await refused(parts, "is of hub-2")
    manifest.write_bytes(orjson.dumps({**noted, "files": [{**noted["files"][0], "path": "../hub.pem"}]}))
    await refused(parts, "does not lead below")
    manifest.write_bytes(orjson.dumps(noted))
    database = parts[HubPart.RECORDS] / "hub.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    await refused(parts, "not the file that was backed up")
    database.write_bytes(whole)
    with pytest.raises(InputError, match="holds something"):
        await put_back_hub(parts, config, federation.clock)  # where the hub still is
    with pytest.raises(InputError, match="holds something"):
        back_up_hub(load_hub(config), config, parts, federation.clock)
