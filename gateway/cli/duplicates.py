"""`patchwork people duplicates`: the report of people who are probably registered twice.

It is for this agency's own terminal. Keys, grades and words: what is stored of a person only with --names.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, progress_bar, run
from gateway.days import day_of
from gateway.fhir.text import plain
from gateway.files import replace_file
from gateway.node.duplicates import Duplicate, Duplicates, find_duplicates, written_names
from gateway.reports.csv_text import csv_text
from gateway.settings import NodeSettings

MAX_PAIRS = 100_000  # of one report


def duplicates(
    config: Config,
    federation: InFederation,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAIRS, help="The most pairs to list, likeliest first.")] = 200,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write a CSV file as well.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Show a name of each person, too.")] = False,
) -> None:
    """Find people who are probably registered twice. Changes nothing."""
    found, written = run(_find(node_of(config, federation), limit, names=names))
    rows = [_row(duplicate, found.keys, written, config) for duplicate in found.pairs]
    if out is not None:
        replace_file(out, _csv(rows))
    if json:
        document = {"pairs": rows, "more": found.more}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        _echo(row)
    more = f", and {found.more} more, which --limit leaves out" if found.more else ""
    typer.echo(f"pairs found: {len(rows)}{more}. Nothing was changed.")


async def _find(settings: NodeSettings, limit: int, *, names: bool) -> tuple[Duplicates, dict[int, str]]:
    async with opened(settings) as node:
        with progress_bar() as bar:
            task = bar.add_task("comparing", total=None)
            found = await find_duplicates(
                node.database,
                today=day_of(CLOCK.now()),
                limit=limit,
                progress=lambda seen, total: bar.update(task, completed=seen, total=total),
            )
        people = sorted({person for duplicate in found.pairs for person in duplicate.pair})
        return found, await node.database.read(written_names(people)) if names else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One pair as it is shown. Names are empty unless they were asked for."""

    one: str
    other: str
    one_name: str
    other_name: str
    grade: str
    fields: dict[str, str]
    merge: str


def _row(duplicate: Duplicate, keys: dict[int, str], names: dict[int, str], config: Path) -> _Row:
    one, other = (keys[person] for person in duplicate.pair)
    typed = ["patchwork", "people", "merge", "--config", str(config), "--by", "", "--reason", "", one, other]
    return _Row(
        one=one,
        other=other,
        one_name=names.get(duplicate.pair[0], ""),
        other_name=names.get(duplicate.pair[1], ""),
        grade=duplicate.grade.value,
        fields=dict(duplicate.fields),
        merge=shlex.join(typed),
    )


def _echo(row: _Row) -> None:
    names = f" ({row.one_name}; {row.other_name})" if row.one_name or row.other_name else ""
    typer.echo(plain(f"{row.grade}: {row.one} and {row.other}{names}"))
    typer.echo("  " + plain(", ".join(f"{field} {level}" for field, level in row.fields.items())))
    typer.echo("  " + plain(row.merge))


def _csv(rows: Sequence[_Row]) -> bytes:
    fields = list(dict.fromkeys(field for row in rows for field in row.fields))
    lines = [
        (row.one, row.other, row.one_name, row.other_name, row.grade, *(row.fields.get(each, "") for each in fields))
        for row in rows
    ]
    merges = (row.merge for row in rows)
    heading = ("one", "other", "one name", "other name", "grade", *fields, "merge")
    return csv_text([heading, *((*line, merge) for line, merge in zip(lines, merges, strict=True))])
