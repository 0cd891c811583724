"""`patchwork agreement what-if`: which logged decisions a draft would change. Changes nothing."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.agreement_lint import read
from gateway.cli.options import Config, InFederation, node_of, opened, run
from gateway.errors import InputError
from gateway.files import replace_file
from gateway.node.what_if import MAX_NAMED, Change, Found, replay_ledger
from gateway.policy.agreement import Agreement
from gateway.policy.what_if import NotReplayed, Told
from gateway.settings import NodeSettings

MAX_LISTED = 200  # on the terminal; --out writes all


def what_if(
    draft: Annotated[Path, typer.Argument(help="The draft's TOML file.")],
    config: Config,
    federation: InFederation,
    out: Annotated[Path | None, typer.Option(help="Write every change to a CSV file as well.")] = None,
) -> None:
    """Decide this node's logged questions again under a draft, and list what would change. Changes nothing."""
    agreement, settings = read(draft), node_of(config, federation)
    if settings.node.member not in agreement.members:
        raise InputError(f"{draft}: {settings.node.member} is not a party to this agreement")
    found, changes = run(_replay(settings, agreement))
    if out is not None:
        replace_file(out, _csv(changes))
    console = Console()
    if changes:
        console.print(_table(changes[:MAX_LISTED]))
        console.print(_counts(changes))
    for line in _summary(found, out):
        console.print(Text(line))


async def _replay(settings: NodeSettings, draft: Agreement) -> tuple[Found, list[Change]]:
    changes: list[Change] = []
    async with opened(settings) as node:
        return await replay_ledger(node.parts.ledger, draft, changed=changes.append), changes


def _table(changes: list[Change]) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", expand=True, padding=(0, 1, 0, 0))
    table.add_column("Entry, date", no_wrap=True)
    table.add_column("Asker, purpose", overflow="fold", ratio=3)
    table.add_column("Decided", overflow="fold", ratio=3)
    table.add_column("Under the draft", overflow="fold", ratio=3)
    for change in changes:
        each = change.replayed
        table.add_row(
            Text(f"{change.seq}\n{change.day}"),
            Text(f"{each.asker}\n{each.purpose.word}"),
            Text(_words(each.before)),
            Text(_words(each.after)),
        )
    return table


def _counts(changes: list[Change]) -> Table:
    """The same, counted."""
    counted = Counter(
        (
            change.replayed.asker,
            change.replayed.purpose.word,
            _brief(change.replayed.before),
            _brief(change.replayed.after),
        )
        for change in changes
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for (asker, purpose, before, after), count in counted.most_common():
        table.add_row(str(count), Text(f"{asker}, {purpose}: {before} -> {after}"))
    return table


def _summary(found: Found, out: Path | None) -> list[str]:
    lines = [
        f"Replayed: {_count(found.questions, 'question')}, {_count(found.decisions, 'decision')}. Nothing was changed.",
        f"Would change: {found.changes}, of these {found.more} to disclose more, {found.less} to disclose less, and"
        f" {found.other_terms} to disclose the same on other terms.",
        f"Would be the same by another rule: {found.other_rule}.",
    ]
    if found.changes > MAX_LISTED:
        where = f"{out} has all" if out else "--out writes all"
        lines.append(f"Changes not listed here: {found.changes - MAX_LISTED}; {where}.")
    left_out = found.left_out
    if left_out[NotReplayed.NOBODY]:
        lines.append(f"Not replayed, because nobody with a team was found: {left_out[NotReplayed.NOBODY]}.")
    if left_out[NotReplayed.OTHER_AGREEMENT]:
        other = left_out[NotReplayed.OTHER_AGREEMENT]
        lines.append(f"Not replayed, because they named an agreement of another address: {other}.")
    if found.incomplete:
        some = ", ".join(map(str, found.incomplete[:MAX_NAMED])) + (
            ", ..." if len(found.incomplete) > MAX_NAMED else ""
        )
        lines.append(f"Not replayed, because an input of the decision is not on record: entries {some}.")
    if found.erased:
        lines.append(f"Not replayed, because they have been erased: {found.erased}.")
    lines.append("What was never asked of this node is not on record: a draft that lets more ask shows nothing here.")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _words(told: Told) -> str:
    """What was decided, and by which rule or why not."""
    because = ", ".join(filter(None, (told.reason, told.rule)))
    return f"{_brief(told)} ({because})" if because else _brief(told)


def _brief(told: Told) -> str:
    against = ", against an objection" if told.against_objection else ""
    return {"deny": "nothing", "review": f"review, up to {told.mode.code}", "permit": told.mode.code + against}[
        told.effect
    ]


def _csv(changes: list[Change]) -> bytes:
    """Codes and numbers alone, which no spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            "entry",
            "date",
            "asker",
            "purpose",
            "before",
            "before rule",
            "before reason",
            "after",
            "after rule",
            "after reason",
        ]
    )
    for change in changes:
        each = change.replayed
        told = [value for one in (each.before, each.after) for value in (_brief(one), one.rule, one.reason)]
        writer.writerow([change.seq, change.day, each.asker, each.purpose.value, *told])
    return text.getvalue().encode()
