"""The `patchwork` command: `patchwork --help` lists what it can do, one file here per group of commands."""

import logging
import os
import resource
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Annotated

import typer

from consent_ledger.errors import LedgerError
from gateway import __version__
from gateway.cli.wrapped import say
from gateway.errors import PatchworkError, origin
from gateway.memory import loading
from gateway.node.storage_fault import storage_fault

# Groups of commands, each the `app` of its module, and single ones by the module whose function they are. What is not
# typed is not loaded: all of it takes two seconds.
_GROUPS = ("node", "hub", "federation", "agreement", "consent", "people", "ledger", "cases")
_SINGLE = {"import": "imports", "search": "search", "demo": "demo", "doctor": "doctor"}


@cache
def application(only: str = "") -> typer.Typer:
    """The command line: whole, or as far as the command `only` needs it."""
    app = typer.Typer(
        name="patchwork",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with local variables would print personal data
    )
    app.callback()(patchwork)
    known = only in {*_GROUPS, *_SINGLE, "version", "--version"}
    for name in _GROUPS:
        if name == only or not known:
            app.add_typer(import_module(f"gateway.cli.{name}").app, name=name)
    for name, module in _SINGLE.items():
        if name == only or not known:
            app.command(name)(getattr(import_module(f"gateway.cli.{module}"), module))
    app.command()(version)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def patchwork(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Find out who else works with a client, and how to reach them."""


def version() -> None:
    """Print the version of this program."""
    typer.echo(__version__)


def main() -> None:
    """Run the command; what goes wrong is one clear line on standard error and exit code 1.

    Of an error that nobody foresaw the line says class and place: its message may quote a value, a traceback more so.
    """
    os.umask(0o077)  # whatever this program writes is the agency's own
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold keys and names
    _open_as_many_files_as_may_be()
    logging.getLogger().addHandler(logging.NullHandler())  # else Python prints warnings bare; serving sets its own
    try:
        with loading():
            command = application(*sys.argv[1:2])
        command()
    except Exception as error:
        say(f"patchwork: {_told(_first(error))}", err=True)
        sys.exit(1)


def _open_as_many_files_as_may_be() -> None:
    """Each connection is one. The usual soft limit of 1,024 is there for programs older than epoll, not for servers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system that has a lower one of its own, as macOS
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _told(error: BaseException) -> str:
    if isinstance(error, LedgerError):
        error = storage_fault(error)
    if isinstance(error, PatchworkError):
        return str(error)
    return f"an error that should not happen: {origin(error)}. Please report this line."


def _first(error: BaseException) -> BaseException:
    """The error itself, or the first of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
