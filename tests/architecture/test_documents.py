"""What the documents tell people to type exists: commands with their options, and targets of make."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def commands(path: Path) -> Iterator[str]:
    """Lines of code blocks and pieces of inline code that begin with `patchwork` or `make`."""
    text = path.read_text("utf-8")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in (*lines, *inline):
        typed = line.strip().removeprefix("$ ")
        if typed.startswith(("patchwork ", "make ")):
            yield typed


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_tells_to_type_exists(path: Path) -> None:
    for typed in commands(path):
        words = shlex.split(typed, comments=True)
        fault = make_fault(words) if words[0] == "make" else patchwork_fault(words)
        assert fault is None, f"{typed}: {fault}"


def make_fault(words: list[str]) -> str | None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [word for word in words[1:] if "=" not in word and word not in targets]
    return f"no such target: {', '.join(unknown)}" if unknown else None


def patchwork_fault(words: list[str]) -> str | None:
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while rest and hasattr(command, "commands") and re.fullmatch(r"[a-z][a-z-]*", rest[0]):
        if rest[0] not in command.commands:
            return f"no such command: {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    unknown = {word for word in rest if word.startswith("--")} - options - {"--help"}
    return f"no such option: {', '.join(sorted(unknown))}" if unknown else None


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert patchwork_fault(["patchwork", "nonsense"]) == "no such command: nonsense"
    assert patchwork_fault(["patchwork", "search", "--nonsense"]) == "no such option: --nonsense"
    assert make_fault(["make", "nonsense"]) == "no such target: nonsense"
