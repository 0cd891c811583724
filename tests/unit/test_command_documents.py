"""Every command that the guides name exists, with the options that they give it."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from gateway.cli import app

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = ("running-a-hub.md", "running-a-node.md")


def blocks(guide: str) -> list[list[str]]:
    """The command lines of a guide's shell examples."""
    text = (DOCS / guide).read_text("utf-8").replace("\\\n", " ")
    found = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line) for block in found for line in block.splitlines() if line]


@pytest.mark.parametrize("line", [line for guide in GUIDES for line in blocks(guide)], ids=" ".join)
def test_an_example_is_a_command_with_options_that_exist(line: list[str]) -> None:
    program, *words = line
    assert program == "patchwork"
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context("patchwork", words, resilient_parsing=False)
    assert not context.args


@pytest.mark.parametrize("guide", GUIDES)
def test_a_command_named_in_passing_exists(guide: str) -> None:
    named = re.findall(r"`patchwork ([a-z-]+)(?: ([a-z-]+))?", (DOCS / guide).read_text("utf-8"))
    assert named
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # of a group
    for group, word in named:
        assert not hasattr(commands[group], "commands") or word in commands[group].commands
