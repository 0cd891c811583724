"""`patchwork ledger ...`: does this node's record still hold together?"""

import typer

from gateway.cli.misuse import misuse
from gateway.cli.options import Config, opened, run
from gateway.settings import NodeSettings, load_node

app = typer.Typer(help="What this node has put on record.", no_args_is_help=True)
app.command("misuse")(misuse)


@app.command()
def verify(config: Config) -> None:
    """Recompute the whole record from its entries; names what does not fit, with exit code 1."""
    run(_verify(load_node(config)))


async def _verify(settings: NodeSettings) -> None:
    async with opened(settings) as node:
        head = await node.parts.ledger.verify()
    typer.echo(f"{head.size} entries, all as they were written. Root: {head.root}")
