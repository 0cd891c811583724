"""`patchwork demo`: a federation of five invented agencies on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import CLOCK


def demo(
    data: Annotated[Path, typer.Option(help="Where everything is kept; delete it to begin again.")] = Path("demo-data"),
    once: Annotated[bool, typer.Option("--once", help="Stop after the three questions.")] = False,
    save: Annotated[Path | None, typer.Option(help="Write question one's verified Bundles to this folder.")] = None,
) -> None:
    """Start a hub and five agencies with invented people, and ask three questions."""
    from gateway.demo.run import run_demo  # noqa: PLC0415 - a fifth of the start of every other command

    run_demo(data, once=once, save=save, clock=CLOCK)
