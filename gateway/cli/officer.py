"""Options of commands that an officer of the agency gives on the record, and what they must say."""

import sys
from typing import Annotated

import typer

from gateway.cli.options import words
from gateway.errors import InputError

Person = Annotated[
    str, typer.Option(metavar="SOURCE:KEY", help="One of the client's records: a source, and their number there.")
]
By = Annotated[str, typer.Option(help="Who decides: your name or number, for the record.")]
Reason = Annotated[str, typer.Option(help="Why: a code of your own or a few words, for the record alone.")]


def noted(said: str, option: str, question: str) -> str:
    """What goes on record: given as an option, or else asked for. Raises InputError naming the option."""
    if not said:
        answer = _ask(f"{question}: ")
        if answer is None:
            raise InputError(f"{option} is missing, and nobody is there to ask")
        said = answer
    if not said.strip():
        raise InputError(f"{option} may not be empty: it goes on record")
    return words(said.strip(), option)


def confirmed(question: str, *, yes: bool) -> None:
    """As options.ask_first, but nothing of it reaches standard output, where a report may be on its way to a file."""
    answer = "y" if yes else _ask(f"{question} [y/N]: ")
    if answer is None:
        raise InputError("nobody is there to answer: once you have checked, run it with --yes")
    if answer.strip().lower() not in {"y", "yes"}:
        raise typer.Abort


def _ask(question: str) -> str | None:
    """A line from standard input, asked for on standard error; None at its end."""
    typer.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        typer.echo(err=True)
    return line or None
