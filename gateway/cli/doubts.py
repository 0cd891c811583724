"""Says to the officer, on standard error, what stands against the record that something is taken from."""

import typer

from gateway.app.node import Node
from gateway.cli.times import utc
from gateway.node.doubts import Doubts, doubts_of


async def told_doubts(node: Node) -> Doubts:
    """What stands against the record, once it has been said; raises StorageError."""
    doubts = await doubts_of(node.parts.ledger, node.checkpoints, node.ledger_database)
    if doubts.wrong:
        typer.echo(f"THE RECORD IS IN DOUBT: {doubts.wrong}. See docs/ledger.md, Failures.", err=True)
    if doubts.not_compared:
        typer.echo(f"Nobody else vouches for the record now: {doubts.not_compared}", err=True)
    for at in doubts.restored:
        typer.echo(f"The record was restored on {utc(at)}: entries of the time before may be missing.", err=True)
    return doubts
