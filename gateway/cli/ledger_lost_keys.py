"""`patchwork ledger lost-keys`: an officer lets a ledger go on whose key store has lost secrets.

(1) find the ids under which entries stand, of which the key store knows nothing
(2) say what that means; ask
(3) put the decision on record, naming nobody; from then on those entries are taken as erased
"""

from collections.abc import Iterator, Sequence

import typer

from consent_ledger.governance import ErasureEntry
from gateway.cli.officer import By, Reason, noted
from gateway.cli.options import Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.settings import NodeSettings

_IDS_OF_AN_ENTRY = 10_000  # some 350 kB


def lost_keys(config: Config, federation: InFederation, by: By = "", reason: Reason = "", yes: Yes = False) -> None:
    """Take as erased what stands under secrets that the key store has lost; shows how much, and asks."""
    run(_give_up(node_of(config, federation), by, reason, yes=yes))


async def _give_up(settings: NodeSettings, by: str, reason: str, *, yes: bool) -> None:
    async with opened(settings) as node:
        ledger = node.parts.ledger
        lost = await ledger.lost_keys()  # (1)
        if not lost:
            typer.echo("The key store has, or has destroyed, every secret under which entries stand.")
            return
        entries = sum(each.entries for each in lost.values())
        typer.echo(f"{entries} entries stand under {len(lost)} secrets that keys.db does not have.", err=True)  # (2)
        for line in (
            "If keys.db was lost: restore its newest backup first, and run this for what is still missing.",
            "If it was not, somebody has changed ledger.db to hide these: restore that instead (docs/ledger.md).",
            "What they say cannot be read, objections and withdrawals among it: enter those again.",
        ):
            typer.echo(line, err=True)
        who, why = noted(by, "--by", "Who decides"), noted(reason, "--reason", "Why (name nobody)")
        ask_first("Go on without them?", yes=yes)
        for keys in _pieces([key_id.hex() for key_id in lost]):  # (3)
            appended = await ledger.note(ErasureEntry(by=who, reason=why, keys=keys))
            typer.echo(f"On record as entry {appended.seq}.")
        await ledger.give_up(lost)


def _pieces(ids: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(ids), _IDS_OF_AN_ENTRY):
        yield tuple(ids[start : start + _IDS_OF_AN_ENTRY])
