"""The demonstration as a person starts it: once more, weeks later, beside something else, and stopped in the middle."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo.questions import QUESTIONS
from tests import demo_ports

# Started as `python -m`, from any folder; the checkout is found without being installed.
ROOT = Path(__file__).parents[2]
PATCHWORK = [sys.executable, "-m", "gateway.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def demo(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`patchwork demo --once` in a folder, to its end."""
    return subprocess.run(  # noqa: S603 - this very program
        [*PATCHWORK, "demo", "--once", "--data", "demo"],
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with demo_ports.alone():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demonstration has run once, while something else held one of its ports."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.create_server(("127.0.0.1", 8403)) if _free(8403) else socket.socket():
        first = demo(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "(8403 is busy)" in first.stdout
    return folder


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_second_start_imports_nothing_and_finds_the_same(folder: Path) -> None:
    second = demo(folder)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "First run" not in second.stdout
    assert all(question.title in second.stdout for question in QUESTIONS)


def test_it_starts_forty_days_later(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "demo", tmp_path / "demo")  # nodes refuse to go on in a folder from the future
    later = demo(tmp_path, PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "tests" / "flow" / "forty_days_later")]))
    assert later.returncode == 0, later.stdout + later.stderr
    newest = [path.read_bytes().splitlines()[-1] for path in tmp_path.rglob("log.jsonl")]
    assert min(json.loads(line)["time"] for line in newest) > time.time() + 39 * 86_400  # it was indeed later


def test_no_log_names_anybody(folder: Path) -> None:
    logs = b"".join(path.read_bytes() for path in folder.rglob("log.jsonl")).lower()
    assert b"question.relayed" in logs  # they were written at all
    for question in QUESTIONS:
        for record in question.records:
            for value in (record.family, record.birth_date, record.postcode, record.nhs_number):
                assert value.lower().encode() not in logs or not value


@pytest.fixture
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`patchwork demo`, up and waiting to be stopped."""
    with subprocess.Popen(  # noqa: S603 - this very program
        [*PATCHWORK, "demo", "--data", "demo"],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if "Ctrl-C stops all" in line:
                break
        else:
            pytest.fail(seen)
        yield process
        if process.poll() is None:
            process.kill()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc (Linux) to see the processes")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=["terminate", "ctrl-c", "kill"])
def test_stopping_it_stops_every_process(running: subprocess.Popen[str], how: signal.Signals, folder: Path) -> None:
    servers = children(running.pid)
    assert len(servers) == 6
    refused = demo(folder)
    assert refused.returncode == 1
    assert "already" in refused.stderr
    running.send_signal(how)
    running.wait(20)
    assert running.returncode == (0 if how is not signal.SIGKILL else -signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{server}/exe").exists() for server in servers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
