"""`patchwork people ...`: which records of this agency's own register are one person, and which are not."""

from collections.abc import Iterator
from typing import Annotated

import typer

from consent_ledger.entries import Correction
from gateway.app.node import Node
from gateway.cli.duplicates import duplicates
from gateway.cli.evaluate import evaluate_pairs
from gateway.cli.officer import noted
from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, run
from gateway.cli.whom import source_and_key
from gateway.days import day_of
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.node.corrections import DecisionShown, Officer, PersonShown, correct, show
from gateway.node.linking import pair_of
from gateway.node.people import person_by_key
from gateway.settings import NodeSettings

app = typer.Typer(help="Which records of this agency are one person.", no_args_is_help=True)
app.command("duplicates")(duplicates)
app.command("evaluate")(evaluate_pairs)

Record = Annotated[str, typer.Argument(metavar="SOURCE:KEY", help="A source, and the client's number there.")]
By = Annotated[str, typer.Option(help="Who decides.")]
Reason = Annotated[str, typer.Option(help="Why: a code of your own or a few words, for the ledger alone.")]

_SAID = {
    Correction.SAME: "These two are one person from now on, until somebody decides otherwise.",
    Correction.NOT_SAME: "These two are not one person from now on, whatever numbers they share.",
    Correction.SAME_TAKEN_BACK: "The earlier merge is undone; nothing else is decided.",
    Correction.NOT_SAME_TAKEN_BACK: "The earlier unmerge is undone; nothing else is decided.",
}


@app.command()
def merge(one: Record, other: Record, config: Config, federation: InFederation, by: By, reason: Reason) -> None:
    """Say that two records are one person; or take back that they are not."""
    run(_correct(node_of(config, federation), (one, other), same=True, officer=_officer(by, reason)))


@app.command()
def unmerge(one: Record, other: Record, config: Config, federation: InFederation, by: By, reason: Reason) -> None:
    """Say that two records are not one person; or take back that they are."""
    run(_correct(node_of(config, federation), (one, other), same=False, officer=_officer(by, reason)))


@app.command("show")
def show_person(record: Record, config: Config, federation: InFederation) -> None:
    """Which records are one person with this one, and why: keys only."""
    run(_show(node_of(config, federation), record))


async def _correct(settings: NodeSettings, records: tuple[str, str], *, same: bool, officer: Officer) -> None:
    async with opened(settings) as node:
        one, other = [await _row_id(node, record) for record in records]
        if one == other:
            raise InputError("these are one record")
        done = await correct(
            pair_of(one, other),
            same=same,
            officer=officer,
            database=node.database,
            ledger=node.parts.ledger,
            clock=CLOCK,
        )
    typer.echo(f"{_SAID[done.correction]} Ledger entries {done.entries[0]} and {done.entries[1]}.")
    if done.correction is Correction.SAME_TAKEN_BACK:
        still = (
            "Other evidence still makes them one person" if done.one_person else "A shared number may join them again"
        )
        typer.echo(f"{still}: to decide that they are two people, run the same command again.")
    if done.correction is Correction.NOT_SAME_TAKEN_BACK and not done.one_person:
        typer.echo("Nothing else joins them: to decide that they are one person, run the same command again.")


async def _show(settings: NodeSettings, record: str) -> None:
    async with opened(settings) as node:
        shown = await node.database.read(show(await _row_id(node, record)))
    for line in _lines(shown):
        typer.echo(plain(line))


def _lines(shown: PersonShown) -> Iterator[str]:
    yield "one record" if len(shown.rows) == 1 else f"{len(shown.rows)} records, one person"
    for row in shown.rows:
        gone = ", removed from its source: what the ledger has of it counts" if row.gone else ""
        shares = f", shares an NHS number with {', '.join(row.by_number)}" if row.by_number else ""
        yield f"- {row.name}{shares}{gone}"
    for each in shown.decisions:
        yield f"- {_decision(each)}"


def _decision(shown: DecisionShown) -> str:
    decision = shown.decision
    day = day_of(decision.at)
    are = "are" if decision.same else "are not"
    without = "; WITHOUT EFFECT, because one of them protects what the other gives" if decision.suspended else ""
    entry = f"by {decision.by}, {day}, ledger entry {decision.ledger_seq}"
    return f"{shown.one} and {shown.other} {are} one person, decided {entry}{without}"


def _officer(by: str, reason: str) -> Officer:
    if not (by.strip() and reason.strip()):
        raise InputError("say with --by who decides, and with --reason why")
    return Officer(by=noted(by, "--by", "Who decides"), reason=noted(reason, "--reason", "Why"))


async def _row_id(node: Node, record: str) -> int:
    """The row that SOURCE:KEY means; raises InputError, which repeats no key."""
    source, key = source_and_key(node, record)
    row_id = await node.database.read(person_by_key(source, key))
    if row_id is None:
        raise InputError(f"source {source} has no client with this number")
    return row_id
