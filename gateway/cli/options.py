"""Options and small conversions that several commands share."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from gateway.app.node import Node, open_node
from gateway.clock import SystemClock
from gateway.days import HOUR_S
from gateway.errors import InputError
from gateway.settings import NodeSettings, load_node
from mappings.vocabulary import Purpose

if sys.platform == "win32":
    _new_loop = None
else:
    from uvloop import new_event_loop as _new_loop

T = TypeVar("T")

CLOCK = SystemClock()
MAX_WORDS = 200  # characters of what is noted of who said or decided something, how and why

Config = Annotated[
    Path, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG", help="The node's configuration file.")
]
InFederation = Annotated[
    str,
    typer.Option(
        "--federation",
        default_factory=str,
        show_default=False,
        help="Of a node in several federations: the one that is meant.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; the answer is yes.")]

ASKABLE = tuple(purpose.word for purpose in Purpose if purpose is not Purpose.BREAK_GLASS)


def purpose_of(text: str) -> Purpose:
    """A purpose by its word or its code; raises InputError."""
    for purpose in Purpose:
        if text in (purpose.word, purpose.value):
            return purpose
    raise InputError(f"purpose is one of {', '.join(ASKABLE)}")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one command's asynchronous part, on uvloop where there is one: it serves about twice as many requests."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(coroutine)


def node_of(config: Path, federation: str) -> NodeSettings:
    """What a node's file says of its federation, or of the one named; raises ConfigurationError, InputError."""
    return load_node(config).chosen(federation)


@asynccontextmanager
async def opened(settings: NodeSettings) -> AsyncIterator[Node]:
    """The node, opened for one command, and closed whatever happens."""
    node = await open_node(settings, clock=CLOCK)
    try:
        yield node
    finally:
        await node.close()


def progress_bar() -> Progress:
    """On standard error, so that standard output holds results alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def ask_line(question: str) -> str | None:
    """A line from standard input, asked for on standard error, for standard output may be on its way to a file.

    None at the end of the input.
    """
    typer.echo(question, nl=False, err=True)
    line = sys.stdin.readline()
    if not line:
        typer.echo(err=True)
    return line or None


def ask_first(question: str, *, yes: bool) -> None:
    """Go on only if somebody says yes; raises InputError if nobody is there to answer."""
    answer = "y" if yes else ask_line(f"{question} [y/N]: ")
    if answer is None:
        raise InputError("nobody is there to answer: once you have checked, run it with --yes")
    if answer.strip().lower() not in {"y", "yes"}:
        raise typer.Abort


def words(text: str, option: str) -> str:
    """What is noted for the record; raises InputError naming the option."""
    if len(text) > MAX_WORDS or not text.isprintable():
        raise InputError(f"{option}: at most {MAX_WORDS} characters that can be printed")
    return text


def first_hour_of(day: str, option: str) -> int:
    """Hours since the epoch at which a day (UTC) begins; raises InputError naming the option."""
    try:
        began = datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError:
        raise InputError(f"{option}: a day as in 2026-09-21") from None
    return int(began.timestamp()) // HOUR_S
