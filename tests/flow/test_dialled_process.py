"""`patchwork node serve` of a node without a port: it waits to be admitted, is linked then, and stops when told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.demo.servers import free_ports
from tests.flow.commands import ROOT, in_process

SECONDS = 40


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """A process of the product, and the file of its log."""
    log = folder / f"{arguments[0]}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "gateway.cli", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=written,
        )
        try:
            yield process, log
        finally:
            process.kill()
            process.wait()


def logged(log: Path, event: str, **fields: Any) -> dict[str, Any]:
    """Wait for an event with these fields."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for line in log.read_text().splitlines():
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event and fields.items() <= found.items():
                return found
        time.sleep(0.05)
    raise AssertionError(f"{event} {fields} not in:\n{log.read_text()}")


def test_it_waits_until_it_is_admitted_and_goes_on_then(tmp_path: Path) -> None:
    port = free_ports({"hub": 0})["hub"]
    operator = str(tmp_path / "operator")
    in_process("hub", "init", str(tmp_path / "hub"))
    in_process("federation", "init", "orchard", "--hub-key", str(tmp_path / "hub/hub.jwk"), "--folder", operator)
    told = in_process(
        *("node", "init", str(tmp_path / "node"), "--member", "housing", "--name", "Orchard Homes"),
        *("--type", "housing-provider", "--federation", "orchard", "--hub", f"http://127.0.0.1:{port}"),
        *("--operator-key", f"{operator}/operator.jwk"),
    )
    assert told.code == 0
    assert "`listen`" not in told.out
    settings = tmp_path / "hub" / "hub.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1:8400", f"127.0.0.1:{port}"))
    for name in ("operator.jwk", "federation.jws"):
        (tmp_path / "hub" / name).write_bytes((tmp_path / "operator" / name).read_bytes())
    # The hub is not given this yet.
    in_process("federation", "admit", str(tmp_path / "node/join-request.jws"), "--folder", operator, "--yes")
    with (
        serving(tmp_path, "hub", "serve", "--config", "hub/hub.toml") as (hub, hub_log),
        serving(tmp_path, "node", "serve", "--config", "node/node.toml") as (node, node_log),
    ):
        logged(hub_log, "hub.started")
        assert logged(node_log, "node.started")["port"] is None
        logged(node_log, "hub_link.closed", code="http-401")
        beside = tmp_path / "hub" / "new.jws"
        beside.write_bytes((tmp_path / "operator" / "federation.jws").read_bytes())
        beside.rename(tmp_path / "hub" / "federation.jws")
        logged(node_log, "hub_link.opened")
        logged(hub_log, "link.opened", member="housing")
        logged(node_log, "federation.refreshed", seq=2)
        node.send_signal(signal.SIGTERM)
        assert node.wait(SECONDS) == 0
        logged(node_log, "node.stopped")
        logged(hub_log, "link.closed", member="housing")
        hub.send_signal(signal.SIGTERM)
        assert hub.wait(SECONDS) == 0
