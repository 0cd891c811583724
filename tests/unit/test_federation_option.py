"""Every command of a node that is about one federation can be told which."""

from collections.abc import Iterator
from typing import Any

import typer

from gateway.cli import application

# About the node as a whole, or told by what they read which federation it is.
WHOLE = {"doctor", "node serve", "node restore", "node add-federation"}


def test_every_command_with_a_nodes_configuration_takes_the_name_of_a_federation() -> None:
    lacking = {
        name
        for name, command in _commands(typer.main.get_command(application()), "")
        if "config" in _parameters(command) and "federation" not in _parameters(command)
    }
    assert {name for name in lacking if not name.startswith("hub ")} == WHOLE


def _parameters(command: Any) -> set[str]:
    return {each.name for each in command.params}


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Groups too: `patchwork cases` is a command by itself."""
    yield name, command
    for inner, each in getattr(command, "commands", {}).items():
        yield from _commands(each, f"{name} {inner}".strip())
