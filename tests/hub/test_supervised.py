"""What goes on beside requests: a hub whose part of it fails ends, for otherwise it would go stale unnoticed."""

import asyncio
import logging
from pathlib import Path

import pytest

from gateway.app.hub_shared import Sharing
from gateway.app.serve_hub import serve_hub
from gateway.errors import origin
from gateway.settings import HubSettings
from tests.hub.hub_process import RealClock
from tests.hub.kit import federated, process
from tests.hub.served import configure

BESIDE = [
    "gateway.hub.directory.Directory.watch",
    "gateway.hub.clocks.MemberClocks.keep",
    "gateway.app.serve_hub.keep_warning",
]
BESIDE_OTHERS = [
    "gateway.hub.sealing_keys.SealingKeys.watch",
    "gateway.links.sibling_door.SiblingDoor.keep_saying",
    "gateway.links.sibling.Sibling.keep",
]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubSettings:
    for of_the_process in ("configure_logging", "collect_rarely"):
        monkeypatch.setattr(f"gateway.app.serve_hub.{of_the_process}", lambda: None)
    federation = federated(tmp_path)
    federation.clock = RealClock()
    federation.publish()
    return configure(federation)


async def never() -> None:
    await asyncio.Event().wait()


async def end_of(settings: HubSettings, sharing: Sharing | None) -> None:
    async with asyncio.timeout(5):
        await serve_hub(settings, sharing=sharing, stopped=never)


@pytest.mark.parametrize(
    ("part", "sharing"), [*((each, None) for each in BESIDE), *((each, process(0)) for each in BESIDE_OTHERS)]
)
async def test_an_unforeseen_fault_beside_requests_ends_the_hub(
    settings: HubSettings, monkeypatch: pytest.MonkeyPatch, part: str, sharing: Sharing | None
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(part, fail)
    with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True) as caught:
        await end_of(settings, sharing)
    assert origin(caught.value).startswith("ZeroDivisionError@test_supervised.py:")


async def test_a_process_of_several_has_its_own_word_for_its_start_and_end(
    settings: HubSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stopped = asyncio.Event()

    async def until_stopped() -> None:
        await stopped.wait()

    serving = asyncio.create_task(serve_hub(settings, sharing=process(0), said=stopped.set, stopped=until_stopped))
    async with asyncio.timeout(5):
        await serving
    assert [each for each in caplog.messages if each.startswith("hub.")] == ["hub.worker_started", "hub.worker_stopped"]
