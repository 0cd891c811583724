"""`patchwork ledger ...`: does this node's record still hold together, and who else says so?"""

import typer

from gateway.cli import ledger_checkpoint, ledger_proof, ledger_restore

app = typer.Typer(help="What this node has put on record.", no_args_is_help=True)

app.command()(ledger_checkpoint.verify)
app.command()(ledger_checkpoint.checkpoint)
app.command("prove")(ledger_proof.prove_entry)
app.command("check-proof")(ledger_proof.check)
app.command()(ledger_restore.restore)
