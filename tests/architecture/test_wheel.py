"""The wheel carries all that the program needs: installed alone, far from the checkout, it runs the demonstration."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from gateway.demo.questions import QUESTIONS
from tests import demo_ports

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin/ folder of an environment that holds the wheel of this checkout, and its dependencies by path."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)], folder)
    (wheel,) = folder.glob("*.whl")
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], folder)
    python = folder / "env" / "bin" / "python"
    run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], folder)
    # Dependencies come from where they are installed already, so that the test needs no network. A folder that a .pth
    # file names is searched for modules, but its own .pth files are not read: an editable install there stays unseen.
    (packages,) = (folder / "env" / "lib").glob("python3.*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def run(command: list[str], folder: Path, *, timeout_s: int = 120) -> str:
    """Standard output of a command that must succeed, started outside the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    result = subprocess.run(  # noqa: S603 - commands of this file
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_program_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import gateway as g, connectors as c, mappings as m; print(g.__file__, c.__file__, m.__file__)"
    for place in run([str(installed / "python"), "-c", code], tmp_path).split():
        assert Path(place).is_relative_to(installed.parent)


def test_the_demonstration_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    # 40 s are promised for a first run on an idle machine; this one may be running other tests.
    with demo_ports.alone():
        printed = run([str(installed / "patchwork"), "demo", "--once", "--save", "bundles"], tmp_path, timeout_s=100)
    bundles = {path.stem: json.loads(path.read_bytes()) for path in (tmp_path / "bundles").glob("*.json")}
    assert bundles.keys() == QUESTIONS[0].found_at
    for bundle in bundles.values():
        assert bundle["resourceType"] == "Bundle"
        assert any(entry["resource"]["resourceType"] == "CareTeam" for entry in bundle["entry"])
    for question in QUESTIONS:
        assert question.title in printed


def test_the_pages_styles_and_scripts_are_in_the_wheel(installed: Path) -> None:
    (packages,) = (installed.parent / "lib").glob("python3.*/site-packages")
    static = packages / "gateway" / "web" / "static"
    manifest = json.loads((static / "built" / "manifest.json").read_bytes())
    assert "patchwork.css" in manifest
    for name in manifest.values():
        assert (static / "built" / name).stat().st_size > 0
        assert (static / "built" / f"{name}.gz").stat().st_size > 0
    assert not (static / "src").exists()


def test_tests_and_their_data_are_not_in_the_wheel(installed: Path) -> None:
    (packages,) = (installed.parent / "lib").glob("python3.*/site-packages")
    folders = {path.name for path in packages.iterdir() if path.is_dir() and path.suffix != ".dist-info"}
    assert folders == {"gateway", "connectors", "mappings", "consent_ledger"}
