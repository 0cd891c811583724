"""The trust of clients_record.py, made once for all tests that open its record, and copied for each."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from gateway.cli import main
from tests.flow.clients_record import Run, Said, make


@pytest.fixture(scope="session")
def trust_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The federation's folder, made once."""
    return asyncio.run(make(tmp_path_factory.mktemp("north"))).parent


@pytest.fixture
def trust(trust_made: Path, tmp_path: Path) -> Path:
    """The trust's folder, in a copy for one test."""
    shutil.copytree(trust_made, tmp_path / "north")
    return tmp_path / "north" / "community-trust"


@pytest.fixture
def at_trust(trust: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`patchwork WORDS` at the trust."""
    monkeypatch.setenv("PATCHWORK_CONFIG", str(trust / "node.toml"))

    def patchwork(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["patchwork", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Said(said.out, said.err, bool(ended.value.code))

    return patchwork
