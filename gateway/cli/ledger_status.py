"""The ledger's lines of `patchwork node status`."""

from consent_ledger import heads
from consent_ledger.errors import LedgerError
from gateway.app.node import Node
from gateway.cli.ledger_checkpoint import said
from gateway.errors import LedgerDoubtful


async def ledger_lines(node: Node) -> list[str]:
    """Whether it has all that its witnesses have seen, and the last word of each; raises StorageError."""
    head = await node.parts.ledger.head()
    lines = [f"Ledger of {head.size} entries: patchwork ledger verify"]
    try:
        await node.checkpoints.compare()
        doubt = node.parts.standing.doubt
    except (LedgerDoubtful, LedgerError) as error:
        doubt = str(error)
    if doubt:
        lines.append(f"  NOTHING IS DISCLOSED: {doubt} (docs/ledger.md)")
        lines.append("  what each witness said when it was last asked to cosign:")
    words = await node.ledger_database.read(heads.words())
    return lines + [f"  {said(word)}" for word in words] + ([] if words else ["  no witness has cosigned it yet"])
