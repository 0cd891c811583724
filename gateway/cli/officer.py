"""Options of commands that an officer of the agency gives on the record, and what they must say."""

from typing import Annotated

import typer

from gateway.cli.options import ask_line, words
from gateway.errors import InputError

Person = Annotated[
    str, typer.Option(metavar="SOURCE:KEY", help="One of the client's records: a source, and their number there.")
]
By = Annotated[str, typer.Option(help="Who decides: your name or number, for the record.")]
Reason = Annotated[str, typer.Option(help="Why: a code of your own or a few words, for the record alone.")]


def noted(said: str, option: str, question: str) -> str:
    """What goes on record: given as an option, or else asked for. Raises InputError naming the option."""
    if not said:
        answer = ask_line(f"{question}: ")
        if answer is None:
            raise InputError(f"{option} is missing, and nobody is there to ask")
        said = answer
    if not said.strip():
        raise InputError(f"{option} may not be empty: it goes on record")
    return words(said.strip(), option)
