"""The import contracts of .importlinter hold, and they are not empty."""

import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool


def test_imports_point_downwards() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_what_forbids_parts_of_a_package_names_all_of_them_but_the_vocabulary() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    parts = {f"mappings.{path.stem}" for path in (ROOT / "mappings").glob("*.py") if path.stem != "__init__"}
    for name in ("connectors", "ledger", "hub"):
        forbidden = set(contracts[f"importlinter:contract:{name}"]["forbidden_modules"].split())
        assert parts - forbidden == {"mappings.vocabulary"}, name


def test_all_of_matching_is_pure_but_its_index() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    pure = set(contracts["importlinter:contract:pure"]["source_modules"].split())
    parts = {f"gateway.matching.{path.stem}" for path in (ROOT / "gateway" / "matching").glob("*.py")}
    assert parts - pure == {"gateway.matching.index", "gateway.matching.__init__"}
