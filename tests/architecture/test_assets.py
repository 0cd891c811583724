"""What .ci/build_assets.py made: ours to serve, small, and without a trace of gov.uk's own identity."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "gateway" / "web" / "static" / "built"
FIRST_VISIT_BYTES = 100_000  # all of a first page, compressed; assets may take a half, the page itself the rest


@pytest.fixture(scope="module")
def manifest() -> dict[str, str]:
    if not (BUILT / "manifest.json").exists():
        pytest.skip("the pages' styles and scripts are not made: make setup")
    names: dict[str, str] = json.loads((BUILT / "manifest.json").read_text())
    return names


@pytest.fixture(scope="module")
def styles(manifest: dict[str, str]) -> str:
    return (BUILT / manifest["patchwork.css"]).read_text()


def test_a_name_changes_when_its_content_does(manifest: dict[str, str]) -> None:
    assert manifest.keys() == {"htmx.js", "icon.svg", "patchwork.css", "patchwork.js"}
    for name in manifest.values():
        digest = hashlib.sha256((BUILT / name).read_bytes()).hexdigest()
        assert name.split(".")[1] == digest[:16]


def test_each_file_has_its_compressed_twin(manifest: dict[str, str]) -> None:
    for name in manifest.values():
        assert gzip.decompress((BUILT / f"{name}.gz").read_bytes()) == (BUILT / name).read_bytes()


def test_nothing_is_left_of_an_earlier_build(manifest: dict[str, str]) -> None:
    expected = {"manifest.json"} | {name + ending for name in manifest.values() for ending in ("", ".gz")}
    assert {path.name for path in BUILT.iterdir()} == expected


def test_styles_fetch_nothing(styles: str) -> None:
    assert "url(" not in styles
    assert "@import" not in styles
    assert "@font-face" not in styles


@pytest.mark.parametrize("reserved", ["GDS Transport", "crown", "crest", "govuk-header", "govuk-footer", "gov.uk"])
def test_styles_hold_nothing_that_is_reserved_for_gov_uk(styles: str, reserved: str) -> None:
    assert reserved.casefold() not in styles.casefold()


def test_scripts_need_no_eval(manifest: dict[str, str]) -> None:
    # htmx holds one eval for hx-on and filters, which pages switch off ("allowEval": false) and the policy forbids.
    ours = (BUILT / manifest["patchwork.js"]).read_text()
    assert not re.search(r"\beval\(|new Function\(", ours)


def test_assets_leave_half_of_a_first_visit_to_the_page(manifest: dict[str, str]) -> None:
    assert sum((BUILT / f"{name}.gz").stat().st_size for name in manifest.values()) < FIRST_VISIT_BYTES / 2


def test_every_class_that_the_comment_promises_is_there(styles: str) -> None:
    comment = (BUILT.parent / "src" / "patchwork.scss").read_text().partition("\n\n@use")[0]
    promised = set(re.findall(r"pw-[a-z-]+(?:__[a-z]+)?", comment))
    assert len(promised) > 20
    assert {name for name in promised if f".{name}" not in styles} == set()


def test_every_class_of_ours_in_a_template_has_a_style(styles: str) -> None:
    used: set[str] = set()
    for template in (ROOT / "gateway" / "web" / "templates").rglob("*.html"):
        for classes in re.findall(r'class(?:es)?"?\s*[=:]\s*"([^"]*)"', template.read_text()):
            used.update(re.findall(r"(?<![\w-])pw-\w[\w-]*\w(?![\w-])", classes))  # not the stem of pw-slot--{{ ... }}
    assert {name for name in used if f".{name}" not in styles} == set()


def test_a_package_without_them_is_refused(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE", "assets/hatch_build.py", "gateway/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    built = subprocess.run(  # noqa: S603 - a command of this file
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert built.returncode != 0
    assert "make setup" in built.stdout + built.stderr
    assert not list(tmp_path.rglob("*.whl"))
