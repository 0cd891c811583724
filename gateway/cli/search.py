"""`patchwork search`: one question from a terminal, and a table that fills as agencies answer."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from consent_ledger.read import accepted_agreements
from gateway.app.node import Node, accept_agreements
from gateway.cli.break_glass import confirm, read_break_glass
from gateway.cli.options import ASKABLE, CLOCK, Config, InFederation, node_of, opened, purpose_of, run
from gateway.cli.save import save_bundles
from gateway.cli.table import Progress, as_json, warnings
from gateway.cli.wrapped import say
from gateway.days import day_of
from gateway.errors import InputError, PatchworkError
from gateway.node.agreements import NobodyToAsk
from gateway.node.ask import ask
from gateway.node.membership import View
from gateway.node.question import BreakGlass, Question, read_subject
from gateway.node.results import Asked, Completed, MemberResult
from gateway.settings import NodeSettings, PractitionerSettings
from gateway.wire.query import AskingPractitioner, Subject
from mappings.vocabulary import AuthMethod, BreakGlassReason, LawfulBasis, Mode, Purpose


def search(
    config: Config,
    federation: InFederation,
    name: Annotated[str, typer.Argument(help="The client's name as you heard it; - asks for it.")] = "",
    born: Annotated[str, typer.Option(help="DD/MM/YYYY, YYYY-MM-DD, YYYY-MM, YYYY, or an age in years.")] = "",
    postcode: Annotated[str, typer.Option(help="Postcode, or its first part.")] = "",
    nhs_number: Annotated[
        str, typer.Option(help="NHS number; beside the name or the birth date, as it finds nobody alone.")
    ] = "",
    purpose: Annotated[str, typer.Option(help=f"Why you ask: {', '.join(ASKABLE)}.")] = "coordination",
    basis: Annotated[
        str,
        typer.Option(
            help=f"Your lawful basis: {', '.join(LawfulBasis)}. Unless you say: {LawfulBasis.PUBLIC_TASK}; to break the"
            f" glass, {LawfulBasis.VITAL_INTERESTS}."
        ),
    ] = "",
    practitioner: Annotated[str, typer.Option("--as", help="Who asks: an id from the configuration file.")] = "",
    contacts_only: Annotated[bool, typer.Option(help="Do not ask for dates of contacts and visits.")] = False,
    only_certain: Annotated[bool, typer.Option(help="Show nothing unless the match is certain.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document when all have answered.")] = False,
    break_glass: Annotated[
        str, typer.Option(help="Break the glass, for this reason: " + ", ".join(BreakGlassReason) + ".")
    ] = "",
    reason: Annotated[
        str, typer.Option(help="Why you break the glass, in words, for this agency's own record; - asks for it.")
    ] = "",
    save: Annotated[
        Path | None,
        typer.Option(help="Write each verified Bundle to this folder, to be deleted when it may no longer be shown."),
    ] = None,
) -> None:
    """Ask every agency that the agreement lists who is working with a client."""
    settings = node_of(config, federation)
    if name == "-":  # what is typed on a command line, every user of this machine can read in its list of processes
        name = typer.prompt("Client's name", err=True)
    broken = read_break_glass(break_glass, reason)
    if broken is not None and _askable(purpose) is not Purpose.COORDINATION:
        raise InputError("--break-glass is a purpose of its own: leave --purpose out")
    question = Question(
        subject=read_subject(name, born=born, postcode=postcode, nhs=nhs_number, today=_today()),
        practitioner=_asking(settings, practitioner),
        auth_method=AuthMethod.OPERATING_SYSTEM,
        auth_time=int(CLOCK.now()),
        purpose=_askable(purpose) if broken is None else Purpose.BREAK_GLASS,
        lawful_basis=_basis(basis, broken),
        mode=Mode.PRACTITIONER if contacts_only else Mode.SCHEDULE,
        only_certain=only_certain,
        break_glass=broken,
    )
    run(_search(settings, question, named=_named(config, federation), json=json, save=save))


def _named(config: Path, federation: str) -> str:
    """The options by which another command is about the same."""
    return f"--config {config} --federation {federation}" if federation else f"--config {config}"


async def _search(settings: NodeSettings, question: Question, *, named: str, json: bool, save: Path | None) -> None:
    accept = f"`patchwork node accept {named}`"
    async with opened(settings) as node:
        await accept_agreements(node)
        view = await node.parts.membership.refresh()
        waiting = sorted({change.member for change in view.waiting})
        barred = [member for member in waiting if member not in view.federation.members]
        try:
            if question.break_glass is not None:
                await _must_find_somebody(question, view, node)
                confirm(question.break_glass)
            stream = ask(question, node=node.parts)
            completed = await (_quietly(stream) if json else _live(stream, question.subject))
        except NobodyToAsk as error:
            if barred:
                message = f"nobody can be asked before this agency accepts {', '.join(barred)}: {accept}"
                raise InputError(message) from error
            raise InputError(f"{error}; see `patchwork node status {named}`") from error
    if waiting:
        say(f"Waiting for this agency's decision: {', '.join(waiting)} ({accept})", err=True)
    if json:
        typer.echo(as_json(completed))
    if save is not None and not save_bundles(save, completed.results):
        raise typer.Exit(1)


async def _must_find_somebody(question: Question, view: View, node: Node) -> None:
    """Nobody is made to confirm what no agreement allows; raises NobodyToAsk, which names the bases that would do."""
    accepted = await node.database.read(accepted_agreements(view.federation.name))
    today = day_of(CLOCK.now())
    allowed = []
    for basis in LawfulBasis:
        with suppress(NobodyToAsk):
            view.agreements.to_ask(question.purpose, basis, accepted=accepted, today=today)
            allowed.append(basis)
    if question.lawful_basis not in allowed:
        instead = f", but on: {', '.join(allowed)}" if allowed else ""
        raise NobodyToAsk(
            f"no agreement in force lets this agency ask anybody for {question.purpose.word} on the basis"
            f" {question.lawful_basis}{instead}"
        )


async def _quietly(stream: AsyncIterator[Asked | MemberResult | Completed]) -> Completed:
    async for event in stream:
        if isinstance(event, Asked):
            for warning in warnings(event):
                say(warning, err=True)
        if isinstance(event, Completed):
            return event
    raise AssertionError("ask() ends with Completed or raises")


async def _live(stream: AsyncIterator[Asked | MemberResult | Completed], subject: Subject) -> Completed:
    progress = Progress(subject)
    console = Console()
    progress.take(await anext(stream))  # a refusal comes here, before anything stands on the screen
    if not console.is_terminal:
        async for event in stream:
            progress.take(event)
            if isinstance(event, Completed):
                console.print(progress)
                return event
        raise AssertionError("ask() ends with Completed or raises")
    try:
        with Live(progress, console=console, refresh_per_second=8, transient=False) as live:
            async for event in stream:
                progress.take(event)
                live.update(progress, refresh=True)
                if isinstance(event, Completed):
                    return event
    except PatchworkError:
        console.line()  # the reason goes on a line of its own
        raise
    raise AssertionError("ask() ends with Completed or raises")


def _today() -> date:
    """The day on this machine's calendar: a child born after midnight is not yet born in UTC in summer."""
    return datetime.fromtimestamp(CLOCK.now(), UTC).astimezone().date()


def _asking(settings: NodeSettings, wanted: str) -> AskingPractitioner:
    """The practitioner named, or the only one that the configuration lists."""
    listed = settings.practitioner
    chosen: PractitionerSettings | None = None
    if wanted:
        chosen = next((each for each in listed if each.id == wanted), None)
    elif len(listed) == 1:
        chosen = listed[0]
    if chosen is None:
        known = ", ".join(each.id for each in listed) or "none is configured"
        raise InputError(f"say with --as who is asking ({known})")
    return AskingPractitioner(
        id=chosen.id,
        name=chosen.name,
        role=chosen.role,
        organisation=settings.node.member,
        telecom=tuple((point.system, point.value) for point in chosen.telecom),
    )


def _askable(text: str) -> Purpose:
    found = purpose_of(text)
    if found is Purpose.BREAK_GLASS:
        raise InputError(f"purpose is one of {', '.join(ASKABLE)}; to break the glass, use --break-glass and --reason")
    return found


def _basis(text: str, broken: BreakGlass | None) -> LawfulBasis:
    if not text:
        return LawfulBasis.PUBLIC_TASK if broken is None else LawfulBasis.VITAL_INTERESTS
    try:
        return LawfulBasis(text)
    except ValueError:
        raise InputError(f"basis is one of {', '.join(LawfulBasis)}") from None
