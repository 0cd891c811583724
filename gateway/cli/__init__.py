"""The `patchwork` command: `patchwork --help` lists what it can do, one file here per group of commands."""

import logging
import os
import resource
import sys
from typing import Annotated

import typer

from consent_ledger.errors import LedgerError
from gateway import __version__
from gateway.cli import agreement, cases, consent, demo, federation, hub, imports, ledger, node, people, search
from gateway.cli.wrapped import say
from gateway.errors import PatchworkError, origin

app = typer.Typer(
    name="patchwork",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local variables would print personal data
)
app.add_typer(node.app, name="node")
app.add_typer(hub.app, name="hub")
app.add_typer(federation.app, name="federation")
app.add_typer(agreement.app, name="agreement")
app.add_typer(consent.app, name="consent")
app.add_typer(people.app, name="people")
app.add_typer(ledger.app, name="ledger")
app.add_typer(cases.app, name="cases")
app.command("import")(imports.imports)
app.command("search")(search.search)
app.command("demo")(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Find out who else works with a client, and how to reach them."""


@app.command()
def version() -> None:
    """Print the version of this program."""
    typer.echo(__version__)


def main() -> None:
    """Run the command; what goes wrong is one clear line on standard error and exit code 1.

    Of an error that nobody foresaw the line says class and place: its message may quote a value, a traceback more so.
    """
    os.umask(0o077)  # whatever this program writes is the agency's own
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold keys and names
    logging.getLogger().addHandler(logging.NullHandler())  # else Python prints warnings bare; serving sets its own
    try:
        app()
    except Exception as error:
        say(f"patchwork: {_told(_first(error))}", err=True)
        sys.exit(1)


def _told(error: BaseException) -> str:
    if isinstance(error, PatchworkError | LedgerError):
        return str(error)
    return f"an error that should not happen: {origin(error)}. Please report this line."


def _first(error: BaseException) -> BaseException:
    """The error itself, or the first of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
