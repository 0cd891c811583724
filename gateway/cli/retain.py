"""`patchwork ledger retain`: let the time limits of the settings take effect now; a serving node does it daily."""

from contextlib import suppress

import typer

from gateway.app.node_limits import retention_limits_of
from gateway.cli.options import Config, InFederation, node_of, opened, run
from gateway.errors import FederationError, HubError, WireError
from gateway.node.retention import Retained
from gateway.node.retention import retain as apply_limits
from gateway.settings import NodeSettings


def retain(config: Config, federation: InFederation) -> None:
    """Destroy what has been kept for as long as the table `retention` of the configuration says."""
    done = run(_retain(node_of(config, federation)))
    typer.echo(f"Records that imports could not use: {done.rejected} removed.")
    typer.echo(f"Ids of expired questions: {done.replay} removed.")
    if done.periods is None:
        typer.echo(
            "Secrets, kept answers and counts were left alone: this machine's clock could not be compared with the "
            "hub's. Try again."
        )
        raise typer.Exit(1)
    typer.echo(f"Answers kept as evidence: {done.answers} removed.")
    typer.echo(f"Counts of questions and answers: {done.counts} removed.")
    typer.echo(f"Months and years that nobody can read any more: {', '.join(done.periods) or 'none'}.")


async def _retain(settings: NodeSettings) -> Retained:
    async with opened(settings) as node:
        with suppress(HubError, WireError, FederationError):  # then the clock is not compared, and no secret destroyed
            await node.parts.membership.refresh()
        return await apply_limits(node.parts, node.ledger_database, retention_limits_of(settings))
