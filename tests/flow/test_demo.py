"""The demonstration as a person starts it: from the wheel, once more, weeks later, and stopped in the middle."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.demo.questions import QUESTIONS
from tests import demo_ports
from tests.wheel import install_wheel, run

# From the second time on started as `python -m`, from any folder; the checkout is found without being installed.
ROOT = Path(__file__).parents[2]
PATCHWORK = [sys.executable, "-m", "gateway.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc (Linux) to see the processes")


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    """`patchwork demo --once` in a folder, to its end."""
    return subprocess.run(  # noqa: S603 - this very program
        [*PATCHWORK, "demo", "--once", "--data", "demo"],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with demo_ports.alone():
        yield


@dataclass(frozen=True, slots=True)
class First:
    """What a first run left behind: its folder, with the bundles that it was to save, and what it has printed."""

    folder: Path
    printed: str


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    """The demonstration has run once, far from the checkout, while something else held one of its ports."""
    patchwork = install_wheel(tmp_path_factory.mktemp("wheel")) / "patchwork"
    folder = tmp_path_factory.mktemp("demo")
    command = [str(patchwork), "demo", "--once", "--data", "demo", "--save", "bundles"]
    with socket.create_server(("127.0.0.1", 8403)) if _free(8403) else socket.socket():
        # 40 s are promised for a first run on an idle machine; this one may be running other tests.
        return First(folder, run(command, folder, timeout_s=100))


@pytest.fixture(scope="module")
def folder(first: First) -> Path:
    """Where the demonstration has run once."""
    return first.folder


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def running(
    folder: Path, path: str = str(ROOT), *, until: str = "Ctrl-C stops all"
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`patchwork demo` in a folder that has come as far as to say so, and what it has printed by then."""
    with subprocess.Popen(  # noqa: S603 - this very program
        [*PATCHWORK, "demo", "--data", "demo"],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if until in line:
                break
        else:
            pytest.fail(seen)
        yield process, seen
        if process.poll() is None:
            process.kill()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def assert_stops(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """A signal ends it, and every process that it has started."""
    servers = children(process.pid)
    assert len(servers) >= 6  # the hub, five nodes, and perhaps a question
    process.send_signal(how)
    process.wait(20)
    assert process.returncode == (0 if how is not signal.SIGKILL else -signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{server}/exe").exists() for server in servers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_demonstration_runs_from_the_wheel_beside_something_else(first: First) -> None:
    bundles = {path.stem: json.loads(path.read_bytes()) for path in (first.folder / "bundles").glob("*.json")}
    assert bundles.keys() == QUESTIONS[0].found_at
    for bundle in bundles.values():
        assert bundle["resourceType"] == "Bundle"
        assert any(entry["resource"]["resourceType"] == "CareTeam" for entry in bundle["entry"])
    for question in QUESTIONS:
        assert question.title in first.printed
    assert "(8403 is busy)" in first.printed


@needs_proc
def test_a_second_start_imports_nothing_finds_the_same_is_the_only_one_and_ends_with_ctrl_c(folder: Path) -> None:
    with running(folder) as (process, said):
        assert "First run" not in said
        assert all(question.title in said for question in QUESTIONS)
        refused = demo(folder)
        assert refused.returncode == 1
        assert "already" in refused.stderr
        assert_stops(process, signal.SIGINT)


@needs_proc
def test_it_starts_forty_days_later_and_ends_when_it_is_told_to(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "demo", tmp_path / "demo")  # nodes refuse to go on in a folder from the future
    later = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "flow" / "forty_days_later")])
    with running(tmp_path, later) as (process, _):
        assert_stops(process, signal.SIGTERM)
    newest = [path.read_bytes().splitlines()[-1] for path in tmp_path.rglob("log.jsonl")]
    assert min(json.loads(line)["time"] for line in newest) > time.time() + 39 * 86_400  # it was indeed later


@needs_proc
def test_killing_it_stops_every_process(folder: Path) -> None:
    with running(folder, until="The hub listens") as (process, _):  # it goes on to ask
        assert_stops(process, signal.SIGKILL)


def test_no_log_names_anybody(folder: Path) -> None:
    logs = b"".join(path.read_bytes() for path in folder.rglob("log.jsonl")).lower()
    assert b"question.relayed" in logs  # they were written at all
    for question in QUESTIONS:
        for record in question.records:
            for value in (record.family, record.birth_date, record.postcode, record.nhs_number):
                assert value.lower().encode() not in logs or not value
