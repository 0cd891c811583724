"""The wheel carries all that the program needs. That it runs the demonstration: tests/flow/test_demo.py."""

import json
from pathlib import Path

import pytest

from tests.wheel import install_wheel, run


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin/ folder of its environment."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_program_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import gateway as g, connectors as c, mappings as m; print(g.__file__, c.__file__, m.__file__)"
    for place in run([str(installed / "python"), "-c", code], tmp_path).split():
        assert Path(place).is_relative_to(installed.parent)


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
