"""The `patchwork` command: `patchwork --help` lists what it can do, one file here per group of commands."""

import os
import sys

import typer

from consent_ledger.record import LedgerError
from gateway import __version__
from gateway.cli import agreement, consent, demo, federation, hub, imports, node, search
from gateway.errors import PatchworkError

app = typer.Typer(
    name="patchwork",
    help="Find out who else works with a client, and how to reach them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback with local variables would print personal data
)
app.add_typer(node.app, name="node")
app.add_typer(hub.app, name="hub")
app.add_typer(federation.app, name="federation")
app.add_typer(agreement.app, name="agreement")
app.add_typer(consent.app, name="consent")
app.command("import")(imports.imports)
app.command("search")(search.search)
app.command("demo")(demo.demo)


@app.command()
def version() -> None:
    """Print the version of this program."""
    typer.echo(__version__)


def main() -> None:
    """Run the command; what goes wrong on purpose is one clear line on standard error and exit code 1."""
    os.umask(0o077)  # whatever this program writes is the agency's own
    try:
        app()
    except (PatchworkError, LedgerError) as error:
        typer.echo(f"patchwork: {error}", err=True)
        sys.exit(1)
