"""A hub of several processes, run as the command does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from gateway.settings import HubSettings, load_hub
from gateway.wire.paths import QUERIES_PATH
from tests.hub.kit import ASKER, Federated, envelope

WORKERS = 2
FIGURES_PORT = 20_000 + os.getpid() % 10_000  # and the next: below those that the kernel gives out


class Served:
    """A hub that runs as a command does, and how to ask it."""

    client: aiohttp.ClientSession  # for links; the test makes it

    def __init__(self, federation: Federated, process: subprocess.Popen[str], log: Path) -> None:
        self.federation = federation
        self.process = process
        self.log = log
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def authorise(self, body: bytes, *, member: str = ASKER, method: str = "POST", path: str = QUERIES_PATH) -> str:
        return self.federation.authorise(body, member=member, method=method, path=path)

    def events(self, event: str) -> list[dict[str, object]]:
        lines = [orjson.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def starts(self) -> int:
        """Of the command, and of its processes."""
        return len(self.events("hub.started")) + len(self.events("hub.worker_started"))

    def workers(self) -> set[int]:
        """Process ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(child) for child in children.split()}

    async def ask(self, *recipients: str, member: str = ASKER, deadline_ms: int = 2_000) -> tuple[int, list[Any]]:
        """On a connection of its own, which the kernel gives to any of the processes."""
        body = envelope(*recipients, deadline_ms=deadline_ms).to_json()
        headers = {"Authorization": self.federation.authorise(body, member=member)}
        url = self.url(QUERIES_PATH)
        async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as response:
            return response.status, [orjson.loads(line) for line in (await response.read()).splitlines()]

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        async with aiohttp.ClientSession() as client, client.get(self.url(path)) as response:
            return response.status, await response.json()


def configure(
    federation: Federated, *, rate_per_minute: int = 60_000, max_concurrent: int = 64, figures: bool = False
) -> HubSettings:
    """The files of a hub in the federation's folder."""
    folder = federation.folder
    (folder / "keys").mkdir(mode=0o700)
    federation.hub_key.save(folder / "keys" / "hub.pem")
    (folder / "operator.jwk").write_bytes(orjson.dumps(federation.operator.public_jwk()))
    config = folder / "hub.toml"
    config.write_text(
        f'[hub]\nid = "hub"\nlisten = "127.0.0.1:0"\nrate_per_minute = {rate_per_minute}\n'
        f"max_concurrent = {max_concurrent}\n"
        'federation_document = "federation.jws"\noperator_key = "operator.jwk"\n'
        + (f'[telemetry]\nlisten = "127.0.0.1:{FIGURES_PORT}"\n' if figures else "")
    )
    return load_hub(config)


@contextmanager
def served(
    federation: Federated, *, rate_per_minute: int = 60_000, max_concurrent: int = 64, workers: int = WORKERS
) -> Iterator[Served]:
    """A hub of so many processes, all of which listen."""
    configure(federation, rate_per_minute=rate_per_minute, max_concurrent=max_concurrent, figures=True)
    log = federation.folder / "log"
    process = start(federation, log, workers)
    served = Served(federation, process, log)
    try:
        until(lambda: served.starts() == (1 if workers == 1 else workers + 1) or process.poll() is not None)
        served.port = int(str(served.events("hub.started")[0]["port"]))
        yield served
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()


def start(federation: Federated, log: Path, workers: int = WORKERS) -> subprocess.Popen[str]:
    """The command, with what it says in a file."""
    command = [sys.executable, "-m", "gateway.cli", "hub", "serve", "-c", str(federation.folder / "hub.toml")]
    with log.open("wb") as stderr:
        return subprocess.Popen([*command, "--workers", str(workers)], stderr=stderr, text=True)  # noqa: S603 - ours


def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for it."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
