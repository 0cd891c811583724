"""`patchwork cases ...`: what an officer of this agency has to look at, decide and close."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from consent_ledger.case import CaseId
from gateway.app.node import Node
from gateway.cli.case_screen import case_list, case_sheet
from gateway.cli.officer import noted
from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, run
from gateway.cli.wrapped import say
from gateway.errors import InputError
from gateway.node import cases
from gateway.node.cases import CaseShown, Ruling
from gateway.node.corrections import Officer
from gateway.settings import NodeSettings
from mappings.vocabulary import Finding

app = typer.Typer(help="Questions that somebody of this agency has to look into.")

OptionalConfig = Annotated[
    Path | None, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG", help="The node's configuration file.")
]
_ALL = 2**31 - 1
Case = Annotated[str, typer.Argument(metavar="CASE", help="As the list has it: review-17.")]
By = Annotated[str, typer.Option(help="Who does so.")]


@app.callback(invoke_without_command=True)
def open_cases(
    context: typer.Context,
    federation: InFederation,
    config: OptionalConfig = None,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List all that are open, not only the newest {cases.MAX_LISTED}.")
    ] = False,
) -> None:
    """List the open cases, newest first."""
    if context.invoked_subcommand is None:
        if config is None:
            raise InputError("say with --config which node")
        run(_list(node_of(config, federation), limit=_ALL if everything else cases.MAX_LISTED))


@app.command()
def show(case: Case, config: Config, federation: InFederation) -> None:
    """What was asked by whom and why, and what has been done about it."""
    run(_show(node_of(config, federation), _id(case)))


@app.command()
def acknowledge(case: Case, config: Config, federation: InFederation, by: By) -> None:
    """Put on record that somebody has seen it."""
    run(_acknowledge(node_of(config, federation), _id(case), noted(by, "--by", "Who decides")))


@app.command()
def decide(
    case: Case,
    config: Config,
    federation: InFederation,
    by: By,
    reason: Annotated[str, typer.Option(help="Why, in a few words, for the ledger alone.")],
    permit: Annotated[bool, typer.Option("--permit", help="A review: the asker may be told, by telephone.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="A review: nothing is told.")] = False,
    called: Annotated[bool, typer.Option("--called", help="A call-back: somebody has called.")] = False,
    not_called: Annotated[bool, typer.Option("--not-called", help="A call-back: nobody will call.")] = False,
) -> None:
    """Decide a review or a call-back, which ends it."""
    given = [each for each, wanted in zip(Ruling, (permit, refuse, called, not_called), strict=True) if wanted]
    if len(given) != 1:
        raise InputError("say one of --permit or --refuse (a review), --called or --not-called (a call-back)")
    officer = Officer(by=noted(by, "--by", "Who decides"), reason=noted(reason, "--reason", "Why"))
    run(_decide(node_of(config, federation), _id(case), given[0], officer))


@app.command()
def close(
    case: Case,
    config: Config,
    federation: InFederation,
    finding: Annotated[str, typer.Option(help="What was found: " + ", ".join(Finding) + ".")],
    by: By,
    in_words: Annotated[str, typer.Option("--words", help="What was found, in a few words, for the ledger alone.")],
) -> None:
    """Close a case of break-glass with a finding."""
    try:
        found = Finding(finding)
    except ValueError:
        raise InputError(f"a finding is one of {', '.join(Finding)}") from None
    officer = Officer(by=noted(by, "--by", "Who decides"), reason=noted(in_words, "--words", "What was found"))
    run(_close(node_of(config, federation), _id(case), found, officer))


@app.command()
def rebuild(config: Config, federation: InFederation) -> None:
    """Compute all cases afresh from the ledger's entries, and put right the list where it differs."""
    run(_rebuild(node_of(config, federation)))


async def _list(settings: NodeSettings, *, limit: int) -> None:
    federation, days, now = settings.federation[0].id, settings.cases.days, CLOCK.now()
    async with opened(settings) as node:
        found = await node.database.read(cases.open_cases(federation, days=days, limit=limit))
        counted = await node.database.read(cases.counted(federation, days=days, now=now))
        received = node.parts.membership.received
    members = {} if received is None else received.members
    Console().print(case_list(found, counted=counted, members=members, now=now))


async def _show(settings: NodeSettings, case: CaseId) -> None:
    async with opened(settings) as node:
        shown = await _one(node, case)
        received = node.parts.membership.received
    members = {} if received is None else received.members
    Console().print(case_sheet(shown, members=members, told=settings.cases.told, now=CLOCK.now()))


async def _acknowledge(settings: NodeSettings, case: CaseId, by: str) -> None:
    async with opened(settings) as node:
        seq = await cases.acknowledge(case, by=by, ledger=node.parts.ledger)
    typer.echo(f"{case} is acknowledged, ledger entry {seq}. It stays open.")


async def _decide(settings: NodeSettings, case: CaseId, ruling: Ruling, officer: Officer) -> None:
    allowed = cases.RULINGS.get(case.kind, ())
    if allowed and ruling not in allowed:
        raise InputError(f"{case} is decided with {' or '.join(f'--{each}' for each in allowed)}")
    async with opened(settings) as node:
        seq = await cases.rule(case, ruling, officer=officer, ledger=node.parts.ledger)
    then = f" Nothing has been sent: see whom to call with `patchwork cases show {case}`."
    say(f"{case} is decided ({ruling}), ledger entry {seq}.{then if ruling is Ruling.PERMIT else ''}")


async def _close(settings: NodeSettings, case: CaseId, finding: Finding, officer: Officer) -> None:
    async with opened(settings) as node:
        shown = await _one(node, case)
        seq = await cases.close(shown, finding, officer=officer, ledger=node.parts.ledger)
    typer.echo(f"{case} is closed ({finding}), ledger entry {seq}.")


async def _rebuild(settings: NodeSettings) -> None:
    async with opened(settings) as node:
        differed = await node.parts.ledger.rebuild_cases()
    if not differed:
        typer.echo("All cases are as the ledger's entries have them.")
        return
    typer.echo(f"Put right from the ledger's entries: {', '.join(map(str, differed))}", err=True)
    raise typer.Exit(1)


async def _one(node: Node, case: CaseId) -> CaseShown:
    shown = await node.database.read(cases.find_case(case, days=node.settings.cases.days))
    if shown is None:
        raise InputError("there is no such case: `patchwork cases` lists those that are open")
    return shown


def _id(text: str) -> CaseId:
    try:
        return CaseId.read(text)
    except ValueError:
        raise InputError("a case is named as in the list of `patchwork cases`: review-17") from None
