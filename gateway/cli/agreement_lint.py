"""`patchwork agreement lint`: what to know of an agreement before signing it."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.options import CLOCK, InFederation, node_of, opened, run
from gateway.days import day_of
from gateway.fhir.text import plain
from gateway.files import read_file
from gateway.policy.agreement import Agreement, read_agreement
from gateway.policy.findings import Finding, Severity
from gateway.policy.lint import lint as find
from gateway.settings import NodeSettings
from gateway.wire.limits import MAX_AGREEMENT_BYTES
from mappings.value_sets import shared

File = Annotated[Path, typer.Argument(help="The agreement's TOML file.")]
Members = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="PATCHWORK_CONFIG",
        help="A node's configuration: its federation document says of which type each party is.",
    ),
]

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def lint(file: File, federation: InFederation, config: Members = None) -> None:
    """Name rules that never act, rules that collide and what is missing; exit code 1 if there are errors."""
    agreement = read(file)
    findings = find(agreement, types=types_of(config, federation), known_services=_service_codes(), today=today())
    console = Console()
    console.print(Text(plain(f"{agreement.name}, version {agreement.version}: {len(agreement.rules)} rules")))
    console.print(_grid(findings))
    console.print(Text(_counted(findings)))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


def read(file: Path) -> Agreement:
    """An agreement's file; raises ConfigurationError naming it."""
    return read_agreement(read_file(file, MAX_AGREEMENT_BYTES), str(file))


def today() -> date:
    """The day, in UTC as decide() has it."""
    return day_of(CLOCK.now())


def types_of(config: Path | None, federation: str) -> dict[str, str] | None:
    """Active members and their types, as the node's newest federation document has them; None without a node."""
    return None if config is None else run(_types_of(node_of(config, federation)))


async def _types_of(settings: NodeSettings) -> dict[str, str] | None:
    async with opened(settings) as node:
        received = node.parts.membership.received
    if received is None:
        typer.echo("This node has no member list yet: parties may be of any type.", err=True)
        return None
    return {member.id: member.type.value for member in received.members.values() if member.active}


def _service_codes() -> frozenset[str]:
    known = shared("service")
    return frozenset(known.codes.values()) if known else frozenset()


def _grid(findings: list[Finding]) -> Table:
    """The severity, and beside it the rules and what there is to say of them."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column()
    grid.add_column(overflow="fold", ratio=1)
    for finding in findings:
        rules = Text(", ".join(finding.rules) or "the agreement", style="bold")
        grid.add_row(
            Text(finding.severity, style=_STYLES[finding.severity]),
            rules + Text("\n" + plain(finding.sentence), "none"),
        )
    return grid


def _counted(findings: list[Finding]) -> str:
    found = Counter(finding.severity for finding in findings)
    return (
        ", ".join(f"{found[severity]} {severity}{'s' if found[severity] != 1 else ''}" for severity in Severity) + "."
    )
