"""`patchwork agreement explain`: who may learn what, as a table for whoever has to sign it."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.agreement_lint import File, Members, read, types_of
from gateway.cli.fields import labelled
from gateway.cli.options import InFederation
from gateway.fhir.text import plain
from gateway.policy.agreement import Agreement
from gateway.policy.explain import HEADINGS, Line, by_rule, clauses, footnotes, summary

WIDE = 110  # columns of a terminal that hold a table; a narrower one gets each line as a list

_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#])")
_TITLES = ("What the rules come to together", "Rule by rule")


def explain(
    file: File,
    federation: InFederation,
    config: Members = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown document.")] = False,
) -> None:
    """Say who may learn what: all rules together, and each by itself."""
    agreement = read(file)
    tables = (summary(agreement, types_of(config, federation)), by_rule(agreement))
    if markdown:
        typer.echo("\n".join(_document(agreement, tables)))
        return
    console = Console()
    console.print(Text(plain(agreement.name), style="bold"))
    for heading, text in clauses(agreement):
        console.print(labelled([(heading, text)]))
    for title, lines in zip(_TITLES, tables, strict=True):
        console.print()
        console.print(Text(title, style="bold"))
        if console.width >= WIDE:
            console.print(_table(lines))
        for line in lines if console.width < WIDE else ():
            console.print(labelled(_fields(line)))
            console.print()
    if console.width >= WIDE:
        console.print()
    for note in footnotes(agreement):
        console.print(Text(note))


def _fields(line: Line) -> Iterator[tuple[str, str]]:
    """Heading and text of each part of a line that has one."""
    yield HEADINGS.rules[0], ", ".join(line.rules)
    yield from ((heading, text) for heading, text in zip(HEADINGS[1:], line[1:], strict=True) if text)


def _table(lines: Sequence[Line]) -> Table:
    """What belongs together shares a column: rule, who and why; whom and about what; what and on which conditions."""
    table = Table(show_lines=True, header_style="bold", expand=True)
    for heading in ("Who asks, for what", "Whom, about what", "At most what, on which conditions"):
        table.add_column(heading, overflow="fold", ratio=3)
    table.add_column(HEADINGS.objection, overflow="fold", ratio=2)
    for line in lines:
        table.add_row(
            Text(", ".join(line.rules) + "\n", style="bold") + _pair(line.who, line.why),
            _pair(line.whom, line.about),
            _pair(line.most, line.conditions),
            Text(plain(line.objection)),
        )
    return table


def _pair(first: str, second: str) -> Text:
    text = Text(plain(first), style="none")
    return text.append("\n" + plain(second), style="dim") if second else text


def _document(agreement: Agreement, tables: Sequence[Sequence[Line]]) -> Iterator[str]:
    yield f"# {_escaped(agreement.name)}"
    yield ""
    for heading, text in clauses(agreement):
        yield f"- {heading}: {_escaped(text)}"
    yield f"- SHA-256 of the text that is signed: `{agreement.sha256}`"
    for title, lines in zip(_TITLES, tables, strict=True):
        yield f"\n## {title}\n"
        yield _row([HEADINGS.rules[0], *HEADINGS[1:]])
        yield _row(["---"] * len(HEADINGS))
        for line in lines:
            yield _row([", ".join(line.rules), *map(_escaped, line[1:])])
    yield ""
    for note in footnotes(agreement):
        yield f"- {note}"


def _row(parts: Sequence[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _escaped(text: str) -> str:
    """An agreement's own words, with nothing that Markdown or HTML would obey."""
    return _MARKDOWN.sub(r"\\\1", plain(text))
