"""`patchwork import`: read an agency's own system or export, with a progress bar."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.app.node import Node
from gateway.cli.options import CLOCK, Config, InFederation, opened, progress_bar, run
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportCounts, ImportReport, run_import
from gateway.node.sources import consent_recorder, open_source, over_already
from gateway.settings import SourceSettings, load_node

_SHOWN_ISSUES = 20


def imports(
    config: Config,
    federation: InFederation,
    source: Annotated[str, typer.Argument(help="One source of the configuration file; all without it.")] = "",
    allow_removals: Annotated[bool, typer.Option(help="Let this run remove more records than is usual.")] = False,
) -> None:
    """Import an agency's own data; running it again changes only what has changed.

    A source is imported once for each federation that it feeds, into the register kept for that one.
    """
    whole = load_node(config)
    nodes = [whole.chosen(federation)] if federation else whole.apart
    chosen = [(each, [one for one in each.source if not source or one.name == source]) for each in nodes]
    if not any(sources for _, sources in chosen):
        known = ", ".join(dict.fromkeys(one.name for each in nodes for one in each.source))
        if not known:
            raise InputError(f"no source is configured: add a [[source]] to {config}")
        raise InputError(f"there is no source {source}; there is: {known}")

    async def each() -> bool:
        done = []
        for settings, sources in chosen:
            if sources and len(whole.federation) > 1:
                typer.echo(f"{settings.federation[0].id}:")
            if sources:
                async with opened(settings) as node:
                    done += [await _import(node, one, allow_removals=allow_removals) for one in sources]
        return all(done)

    if not run(each()):
        raise typer.Exit(1)


async def _import(node: Node, settings: SourceSettings, *, allow_removals: bool) -> bool:
    """One source; False when removals were held back and somebody must confirm."""
    source = open_source(settings, federation=node.parts.me.federation)
    with progress_bar() as bar:
        task = bar.add_task(f"{settings.name}", total=None)

        def progress(position: int, total: int | None, counts: ImportCounts) -> None:
            bar.update(task, completed=position, total=total)

        record = consent_recorder(node.parts.ledger, node.database)
        over = 0

        async def counted(consents: Sequence[ImportedConsent]) -> None:
            nonlocal over
            await record(consents)
            over += over_already(consents, datetime.fromtimestamp(CLOCK.now(), UTC).astimezone().date())

        report = await run_import(
            source,
            database=node.database,
            record_consents=counted,
            clock=CLOCK,
            progress=progress,
            allow_removals=allow_removals,
        )
    _show(settings.name, report)
    if over:
        said = "1 consent" if over == 1 else f"{over} consents"
        typer.echo(f"  {said} had ended before being read: on record, and permitting nothing. Is a year mistyped?")
    return not report.advice


def _show(name: str, report: ImportReport) -> None:
    counts = report.counts
    if report.advice:
        typer.echo(report.advice, err=True)
    line = (
        f"{name}: {counts.created} new, {counts.changed} changed, {counts.unchanged} unchanged,"
        f" {counts.removed} removed, {counts.rejected} rejected"
    )
    typer.echo(line + (f", {counts.waiting} references lead nowhere" if counts.waiting else ""))
    for issue in report.issues[:_SHOWN_ISSUES]:
        typer.echo(f"  {issue.where}, {issue.field}: {issue.reason}")
    if len(report.issues) > _SHOWN_ISSUES:
        typer.echo("  ... more are kept with the import run")
    for one, other in report.suspended[:_SHOWN_ISSUES]:
        said = f"{one} and {other}: the merge by hand has no effect, because one protects what the other gives"
        typer.echo("  " + plain(said))
