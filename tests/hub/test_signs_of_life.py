"""A process of a hub that hangs takes connections and serves none: it is ended, and another takes its place."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import orjson
import pytest

from gateway.app import serve_workers, signs_of_life
from gateway.app.signs_of_life import SIGN, ended
from gateway.hub.keys import HUB_KEY_FILE
from gateway.settings import load_hub
from tests.hub.hub_process import RealClock
from tests.hub.kit import Federated, federated

LIVES = f"import sys, time; say = lambda: (sys.stdout.buffer.write({SIGN!r}), sys.stdout.flush()); "


async def started(program: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", LIVES + program, stdout=PIPE)


async def test_one_that_falls_silent_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs_of_life, "STEP_S", 0.1)
    process = await started("say(); time.sleep(60)")
    async with asyncio.timeout(5):
        assert await ended(process, worker=0) == -signal.SIGKILL


async def test_one_that_gives_signs_is_left_alone_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs_of_life, "STEP_S", 0.1)
    process = await started("[(say(), time.sleep(0.05)) for _ in range(20)]; sys.exit(3)")
    async with asyncio.timeout(5):
        assert await ended(process, worker=0) == 3


async def test_a_hub_ends_a_process_that_hangs_to_start_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()

    async def until_stopped() -> None:
        await stop.wait()

    monkeypatch.setattr(serve_workers, "configure_logging", lambda: None)
    monkeypatch.setattr(serve_workers, "until_stopped", until_stopped)
    monkeypatch.setattr(signs_of_life, "STEP_S", 0.5)  # so it is silent after 2.5 s, and says something every 2
    monkeypatch.setattr(signs_of_life, "MOST_STARTING", signs_of_life.MOST_SILENT)
    caplog.set_level(logging.INFO)
    federation = federated(tmp_path)
    federation.clock = RealClock()
    federation.publish()
    config = _configured(tmp_path, federation)
    serving = asyncio.create_task(serve_workers.serve_workers(config, load_hub(config), workers=1))
    try:
        async with asyncio.timeout(20):
            await _said(caplog, "hub.started", serving)
            (hanging,) = _children()
            os.kill(hanging, signal.SIGSTOP)
            await _said(caplog, "hub.worker_ended", serving)
            assert hanging not in _children()
    finally:
        stop.set()
        await serving
    assert [each for each in caplog.messages if "worker" in each] == ["hub.worker_silent", "hub.worker_ended"]


def _configured(folder: Path, federation: Federated) -> Path:
    (folder / "keys").mkdir(mode=0o700)
    federation.hub_key.save(folder / "keys" / HUB_KEY_FILE)
    (folder / "operator.jwk").write_bytes(orjson.dumps(federation.operator.public_jwk()))
    config = folder / "hub.toml"
    config.write_text(
        '[hub]\nid = "hub"\nlisten = "127.0.0.1:0"\n'
        'federation_document = "federation.jws"\noperator_key = "operator.jwk"\n'
    )
    return config


def _children() -> set[int]:
    """Process ids of the hub's processes."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    programs = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children.split()}
    return {child for child, program in programs.items() if b"gateway.app.hub_worker" in program}


async def _said(caplog: pytest.LogCaptureFixture, event: str, serving: asyncio.Task[None]) -> None:
    while event not in caplog.messages:
        assert not serving.done()
        await asyncio.sleep(0.02)
