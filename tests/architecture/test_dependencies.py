"""Every package that the program imports is declared, and every declared one is imported, pinned and justified."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import files, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {"gateway", "connectors", "mappings", "consent_ledger"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[<>=~!;\[ ]", requirement)[0]) for requirement in requirements}


DECLARED = names(PROJECT["project"]["dependencies"])
OPTIONAL = names([each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra])
FOR_DEVELOPMENT = names(PROJECT["dependency-groups"]["dev"])


def imported() -> set[str]:
    """Distributions whose modules are imported somewhere in the program."""
    known = packages_distributions()
    found: set[str] = set()
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Import):
                    modules = {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules = {node.module}
                else:
                    continue
                for module in modules:
                    top = module.split(".")[0]
                    if top not in OURS | sys.stdlib_module_names:
                        found |= {normal(each) for each in owners(module, known[top])}
    return found


def owners(module: str, candidates: list[str]) -> list[str]:
    """Whose module it is, where several distributions share the package at the top (OpenTelemetry's do)."""
    if len(set(candidates)) == 1:
        return candidates[:1]
    path = module.replace(".", "/")
    return [each for each in set(candidates) if {f"{path}.py", f"{path}/__init__.py"} & files_of(each)]


@cache
def files_of(name: str) -> frozenset[str]:
    return frozenset(str(path) for path in files(name) or ())


def test_what_is_imported_is_declared() -> None:
    assert imported() - DECLARED - OPTIONAL == set()


def test_what_is_declared_is_imported() -> None:
    assert imported() == DECLARED | OPTIONAL


def test_what_is_optional_is_there_when_the_tests_run() -> None:
    assert FOR_DEVELOPMENT >= OPTIONAL


def test_what_is_declared_is_pinned_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    assert pinned >= DECLARED | FOR_DEVELOPMENT
    assert lock.count("==") <= lock.count("--hash=sha256:")
    assert "://" not in lock


def test_each_dependency_is_justified() -> None:
    text = normal((ROOT / "docs" / "decisions" / "dependencies.md").read_text())
    assert {name for name in DECLARED | FOR_DEVELOPMENT if name not in text} == set()
