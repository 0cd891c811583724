"""`patchwork people evaluate`: whom matching finds, misses and takes for somebody else, on the agency's own register.

All of it stays on this machine. The ledger holds what was disclosed to whom, and this discloses nothing to nobody: only
counts and line numbers are printed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TextIO

import orjson
import typer
from rich.console import Console
from rich.table import Table

from gateway.app.node_limits import thresholds_of
from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, run
from gateway.days import day_of
from gateway.errors import InputError
from gateway.node.evaluation import COLUMNS, Counts, Evaluation, Fault, Typed, evaluate, read_typed, unknown_people
from gateway.settings import NodeSettings

MAX_BYTES = 32 * 1024 * 1024  # of the file: room for evaluation.MAX_LINES
FEWEST_TO_SAY = 300  # questions without a wrong answer: with them the rate is below one in a hundred
SHOWN_LINES = 20  # of faults, and of wrong answers
_HEADINGS = ("asked", "clients", "right first", "disclosed right", "disclosed wrong", "missed")


def evaluate_pairs(
    config: Config,
    federation: InFederation,
    pairs: Annotated[Path, typer.Option(help=f"A CSV file with the columns {', '.join(COLUMNS)}.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure matching on this agency's own clients. Changes and discloses nothing."""
    settings = node_of(config, federation)
    today = day_of(CLOCK.now())
    with _opened_text(pairs) as text:
        typed, faults = read_typed(text, today=today)
    _refuse(pairs, faults)
    if not typed:
        raise InputError(f"{pairs.name}: there is no line below the heading")
    found = run(_evaluate(settings, pairs, typed, today))
    if json:
        typer.echo(orjson.dumps(_document(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)


@contextmanager
def _opened_text(path: Path) -> Iterator[TextIO]:
    """Raises InputError for what is no text file of a size that can be meant."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name}: is larger than {MAX_BYTES // 1024**2} MiB")
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not UTF-8 text") from None


def _refuse(path: Path, faults: Sequence[Fault]) -> None:
    """Every fault at once, so that a file need not be mended line by line."""
    for fault in faults[:SHOWN_LINES]:
        typer.echo(f"line {fault.line}: {fault.reason}", err=True)
    if faults:
        raise InputError(f"{path.name}: lines that cannot be used: {len(faults)}; nobody was searched for")


async def _evaluate(settings: NodeSettings, path: Path, typed: Sequence[Typed], today: date) -> Evaluation:
    async with opened(settings) as node:
        _refuse(path, await node.database.read(unknown_people(typed)))
        return await evaluate(typed, node.database, today=today, thresholds=thresholds_of(settings))


def _document(found: Evaluation) -> dict[str, Any]:
    return {
        "all": _figures(found.everything),
        "by_typed": {typed: _figures(counts) for typed, counts in sorted(found.by_typed.items())},
        "disclosed_wrong_lines": found.wrong_lines,
        "missed_lines": found.missed_lines,
    }


def _figures(counts: Counts) -> dict[str, int]:
    figures = (*asdict(counts).values(), counts.missed)
    return dict(zip((heading.replace(" ", "_") for heading in _HEADINGS), figures, strict=True))


def _show(found: Evaluation) -> None:
    table = Table(header_style="bold")
    table.add_column("typed beside the name", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    for typed, counts in sorted(found.by_typed.items()):
        table.add_row(typed, *map(str, _figures(counts).values()))
    table.add_section()
    table.add_row("all", *map(str, _figures(found.everything).values()))
    Console().print(table)
    asked, wrong = found.everything.asked, found.wrong_lines
    if wrong:
        more = ", ..." if len(wrong) > SHOWN_LINES else ""
        lines = ", ".join(map(str, wrong[:SHOWN_LINES]))
        typer.echo(f"Somebody else would be disclosed in {len(wrong)} of {asked}: lines {lines}{more}")
    elif asked < FEWEST_TO_SAY:
        typer.echo(
            f"No wrong disclosure in {asked}, which is too few to say how rare they are: take {FEWEST_TO_SAY} or more."
        )
    else:
        # The rule of three: with no event in n, the rate is below 3/n (95%).
        typer.echo(f"No wrong disclosure in {asked}: their rate is below {3 / asked:.2%} (95%).")
