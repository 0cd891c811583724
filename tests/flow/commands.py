"""Runs `patchwork` as people do: as a process, in a folder, with files around it."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import application
from gateway.errors import PatchworkError
from tests.flow.loaded import loaded, run

ROOT = Path(__file__).parents[2]
SECONDS = 60  # the slowest command on a slow machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All of it, as a person at a terminal sees it."""
        return self.out + self.err


def patchwork(folder: Path, *arguments: str, typed: str = "", later: bool = False) -> Ran:
    """`patchwork ARGUMENTS...` in a folder; `typed` answers its questions; `later` sets its clock forty days on."""
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        asked.write(typed.encode())
        asked.seek(0)
        code = run(
            loaded(),
            arguments,
            folder=str(folder),
            environment={**os.environ, "COLUMNS": "200"},
            streams=[each.fileno() for each in (asked, out, err)],
            seconds=SECONDS,
            later=later,
        )
        said = []
        for each in (out, err):
            each.seek(0)
            said.append(each.read().decode())
    return Ran(code=code, out=said[0], err=said[1])


def in_process(*arguments: str) -> Ran:
    """The same within this process, for commands that start nothing: seconds faster. Paths are not of any folder."""
    ran = CliRunner().invoke(application(), arguments, env={"COLUMNS": "200"})
    message = f"patchwork: {ran.exception}" if isinstance(ran.exception, PatchworkError) else ""
    assert ran.exception is None or message or isinstance(ran.exception, SystemExit), ran.exception
    return Ran(code=ran.exit_code, out=ran.stdout, err=ran.stderr + message)


def done(folder: Path, *arguments: str, typed: str = "") -> str:
    """What a command printed that must succeed."""
    ran = patchwork(folder, *arguments, typed=typed)
    assert ran.code == 0, ran.said
    return ran.out


def refused(folder: Path, *arguments: str, typed: str = "", later: bool = False) -> str:
    """What a command that must fail says at last on standard error: exit code 1 and no traceback."""
    ran = patchwork(folder, *arguments, typed=typed, later=later)
    assert ran.code == 1, ran.said
    assert "Traceback" not in ran.said
    _, found, said = ran.err.partition("patchwork: ")
    assert found, ran.said
    assert "should not happen" not in said
    return said.strip()


def one_agency(folder: Path) -> Path:
    """Make a federation's keys and one agency, Orchard Homes; returns its configuration file, without a source."""
    done(folder, "hub", "init", "hub")
    done(folder, "federation", "init", "orchard", "--hub-key", "hub/hub.jwk")
    done(
        *(folder, "node", "init", "node", "--member", "housing", "--name", "Orchard Homes"),
        *("--type", "housing-provider", "--federation", "orchard", "--hub", "http://127.0.0.1:9"),
        *("--operator-key", "operator/operator.jwk", "--endpoint", "https://housing.example.org"),
    )
    return folder / "node" / "node.toml"
