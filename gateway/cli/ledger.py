"""`patchwork ledger ...`: does this node's record still hold together, and who else says so?"""

import typer

from gateway.cli import ledger_checkpoint, ledger_lost_keys, ledger_proof, ledger_restore
from gateway.cli.erase import erase
from gateway.cli.export import export
from gateway.cli.ledger_evidence import check_evidence, write_evidence
from gateway.cli.ledger_reconcile import reconcile_counts
from gateway.cli.misuse import misuse
from gateway.cli.report import report
from gateway.cli.retain import retain
from gateway.cli.why import why
from gateway.cli.withhold import allow, withhold

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
app.command("misuse")(misuse)

app.command()(ledger_checkpoint.verify)
app.command()(ledger_checkpoint.checkpoint)
app.command("prove")(ledger_proof.prove_entry)
app.command("check-proof")(ledger_proof.check)
app.command()(ledger_restore.restore)
app.command("lost-keys")(ledger_lost_keys.lost_keys)
