"""`patchwork agreement diff`: what a new version changes, and who would learn more or less."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gateway.cli.agreement_lint import Members, read, types_of
from gateway.cli.fields import labelled
from gateway.cli.options import InFederation
from gateway.fhir.text import plain
from gateway.policy.compare import Change, compare


def diff(
    old: Annotated[Path, typer.Argument(help="The version in force.")],
    new: Annotated[Path, typer.Argument(help="The version to compare with it.")],
    federation: InFederation,
    config: Members = None,
) -> None:
    """Say what changes between two versions, and for whom it widens or narrows."""
    before, after = read(old), read(new)
    comparison = compare(before, after, types_of(config, federation))
    console = Console()
    console.print(Text("What changes in the text", style="bold"))
    nothing = "Nothing." if before.sha256 == after.sha256 else "Nothing but its bytes: signatures of one do not hold."
    for sentence in comparison.said or (nothing,):
        console.print(Text(plain(sentence)))
    _print(console, "Who learns more", comparison.wider)
    _print(console, "Who learns less", comparison.narrower)
    console.print()
    console.print(Text(f"{len(comparison.wider)} wider, {len(comparison.narrower)} narrower."))


def _print(console: Console, title: str, changes: Sequence[Change]) -> None:
    console.print()
    console.print(Text(title, style="bold"))
    if not changes:
        console.print(Text("Nobody."))
    for number, change in enumerate(changes):
        if number:
            console.print()
        console.print(
            labelled(
                [
                    ("Who asks", change.who),
                    ("For what, on which basis", change.why),
                    ("Whom", change.whom),
                    ("About which services", change.about),
                    ("Until now", change.before),
                    ("From now on", change.after),
                    *([("When", change.when)] if change.when else []),
                ]
            )
        )
