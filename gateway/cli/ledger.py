"""`patchwork ledger ...`: does this node's record still hold together?"""

import typer

from gateway.cli.erase import erase
from gateway.cli.export import export
from gateway.cli.ledger_evidence import check_evidence, write_evidence
from gateway.cli.ledger_reconcile import reconcile_counts
from gateway.cli.options import Config, opened, run
from gateway.cli.report import report
from gateway.cli.retain import retain
from gateway.cli.why import why
from gateway.cli.withhold import allow, withhold
from gateway.settings import NodeSettings, load_node

app = typer.Typer(help="What this node has put on record.", no_args_is_help=True)
app.command("report")(report)
app.command("export")(export)
app.command("why")(why)
app.command("erase")(erase)
app.command("retain")(retain)
app.command("withhold")(withhold)
app.command("allow")(allow)
app.command("reconcile")(reconcile_counts)
app.command("evidence")(write_evidence)
app.command("check-evidence")(check_evidence)


@app.command()
def verify(config: Config) -> None:
    """Recompute the whole record from its entries; names what does not fit, with exit code 1."""
    run(_verify(load_node(config)))


async def _verify(settings: NodeSettings) -> None:
    async with opened(settings) as node:
        head = await node.parts.ledger.verify()
    typer.echo(f"{head.size} entries, all as they were written. Root: {head.root}")
