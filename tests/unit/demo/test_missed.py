"""A question of the demonstration that does not find what it did at first."""

import subprocess
from pathlib import Path

import pytest

from gateway.demo import run
from gateway.demo.questions import QUESTIONS
from gateway.demo.servers import Servers
from gateway.demo.setup import open_demo
from gateway.errors import ConfigurationError

DOUBT = "  NOTHING IS DISCLOSED: the ledger has 2 entries, fewer than what the hub holds of it: 10 (docs/ledger.md)\n"


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search finds nobody, and every node is in doubt."""

    def ran(arguments: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, 0, stdout=DOUBT if "status" in arguments else "")

    monkeypatch.setattr(subprocess, "run", ran)


@pytest.mark.usefixtures("nodes")
@pytest.mark.parametrize("go_on", [False, True])
def test_the_cause_is_named_and_only_a_first_run_stops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], go_on: bool
) -> None:
    demo = open_demo(tmp_path / "demo")
    with Servers(demo.folder) as servers:
        if go_on:
            run.ask_one(demo, 1, QUESTIONS[0], servers, go_on=True)
            said = capsys.readouterr().out
        else:
            with pytest.raises(ConfigurationError) as stopped:
                run.ask_one(demo, 1, QUESTIONS[0], servers, go_on=False)
            said = str(stopped.value)
    said = " ".join(said.split())
    assert "question 1 was to find community-trust, food-bank, housing, police; found: none" in said
    assert "housing: NOTHING IS DISCLOSED: the ledger has 2 entries" in said
