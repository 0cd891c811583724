"""The units and the image that come along are complete, well-formed, and shut off what they need not."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from gateway.app import serve_hub, serve_node
from gateway.http import SHUTDOWN_S
from gateway.links import dial
from gateway.links.websocket import WRITE_S
from gateway.node.checkpoints import LAST_VISIT_S
from gateway.telemetry import tracing
from gateway.web import background, searches
from gateway.wire.limits import MAX_DEADLINE_MS

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "contrib" / "systemd").glob("*.service"))
CONTAINERFILE = ROOT / "contrib" / "container" / "Containerfile"
MAX_EXPOSURE = 15  # tenths, by `systemd-analyze security`: 10.0 is a service without any of it
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
SHUT = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "UMask": "0077",
    "LimitCORE": "0",
    "StateDirectoryMode": "0700",
    "MemoryDenyWriteExecute": "yes",
}


def unit(path: Path) -> dict[str, str]:
    """A unit's [Service]; of what stands there twice, the first."""
    found: dict[str, str] = {}
    section = path.read_text().split("[Service]\n")[1].split("\n[")[0]
    for line in section.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, value)
    return found


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_as_its_own_user_and_may_write_its_own_folder_alone(path: Path) -> None:
    service = unit(path)
    assert service.items() >= SHUT.items()
    assert service["User"] == path.stem == service["StateDirectory"]
    assert service["WorkingDirectory"] == f"/var/lib/{path.stem}"
    assert "ReadWritePaths" not in service
    assert f"u {path.stem} - " in (ROOT / "contrib" / "systemd" / "patchwork.sysusers").read_text()
    role = path.stem.removeprefix("patchwork-")
    command = f"/opt/patchwork/bin/patchwork {role} serve --config /var/lib/{path.stem}/{role}.toml"
    assert service["ExecStart"] == command


def test_what_a_unit_stops_has_the_time_that_its_parts_are_given() -> None:
    """Beyond it systemd kills, and what is under way is lost; a node that hangs is not waited for much longer."""
    assert serve_hub.COLLECTOR_S == tracing.LAST_S + tracing.TIMEOUT_S
    workers = serve_hub.stops_within_s(MAX_DEADLINE_MS) + serve_hub.MARGIN_S  # each is killed after the first
    links = WRITE_S + dial.FAREWELL_S + dial.DRAIN_S + dial.CLOSE_S
    doors = max(SHUTDOWN_S, searches.CLOSE_S, background.CLOSE_S)  # side by side
    telemetry = SHUTDOWN_S + serve_hub.COLLECTOR_S
    node = links + serve_node.DRAIN_S + doors + LAST_VISIT_S + telemetry + serve_hub.MARGIN_S
    given = {path.stem: float(unit(path)["TimeoutStopSec"]) for path in UNITS}
    for each, needed in {"patchwork-hub": workers, "patchwork-node": node}.items():
        assert needed <= given[each] < needed + 10


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_understands_a_unit_and_finds_little_exposed(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace("/opt/patchwork/bin/patchwork", "/bin/true"))  # it has to exist
    verified = analyze("verify", "--man=no", "--recursive-errors=no", str(copy))
    assert verified.returncode == 0, verified.stderr
    assert path.name not in verified.stderr, verified.stderr  # a setting that it does not know is a warning only
    judged = analyze("security", "--offline=yes", f"--threshold={MAX_EXPOSURE}", str(copy))
    assert judged.returncode == 0, judged.stdout


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603, S607


def test_the_image_takes_what_is_pinned_and_runs_as_nobody_special() -> None:
    text = CONTAINERFILE.read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    last = lines[max(number for number, (word, _) in enumerate(lines) if word == "FROM") :]
    assert {word for word, _ in lines} <= INSTRUCTIONS
    assert ["USER", "10001"] in last
    assert "--require-hashes --requirement requirements.lock" in text
    for command in re.findall(r"-m pip install ([^&]*)", text):
        assert "--no-index" in command  # nothing but what was checked by its hash
    for words in (rest.split() for word, rest in lines if word == "COPY" and not rest.startswith("--from")):
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert source not in {".", "tests", "demo-data"}


def test_the_image_has_every_package_that_the_wheel_is_made_of() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    for package in packages:
        assert f"COPY {package} {package}\n" in CONTAINERFILE.read_text()
