"""`patchwork ledger prove` and `check-proof`: one entry, in a file that can be checked without this node."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import Config, InFederation, node_of, opened, run
from gateway.cli.times import utc
from gateway.errors import FederationStale, InputError, LedgerDoubtful
from gateway.files import read_file, replace_file
from gateway.node.check_checkpoint import lost_words, seen_words
from gateway.node.inclusion import MAX_PROOF_FILE_BYTES, Proven, check_proof, prove
from gateway.settings import NodeSettings
from gateway.wire.operator import (
    load_operator_keys,
)


def prove_entry(
    config: Config,
    federation: InFederation,
    seq: Annotated[int, typer.Argument(min=0, help="The entry's number.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; by default inclusion-SEQ.json.")] = None,
) -> None:
    """Write a proof that an entry stands in this ledger, with checkpoint, cosignatures and keys."""
    run(_prove(node_of(config, federation), seq, out or Path(f"inclusion-{seq}.json")))


async def _prove(settings: NodeSettings, seq: int, out: Path) -> None:
    async with opened(settings) as node:
        head = await node.parts.ledger.head()
        if seq >= head.size:
            raise InputError(
                f"there is no entry {seq}: they are 0 to {head.size - 1}"
                if head.size
                else "the ledger has no entry yet"
            )
        federation = node.parts.membership.received
        if federation is None:
            raise FederationStale("no federation document has arrived yet, and a proof rests on its keys")
        member = settings.node.member
        file = await prove(seq, database=node.ledger_database, member=member, federation=federation)
        if file is None:
            await node.checkpoints.visit()
            file = await prove(seq, database=node.ledger_database, member=member, federation=federation)
        if file is None:
            raise LedgerDoubtful("no checkpoint covers the entry")
        proven = check_proof(file, operator_key=load_operator_keys(settings.federation[0].operator_key))
        replace_file(out, file)
    typer.echo(f"{out}: entry {seq} of {proven.head.size}, leaf hash {proven.leaf_hash}")
    _vouchers(proven)


def check(
    file: Annotated[Path, typer.Argument(help="What `patchwork ledger prove` wrote.")],
    operator_key: Annotated[Path, typer.Option(help="The federation operator's public key, operator.jwk.")],
    leaf: Annotated[str, typer.Option(help="The `ledger_leaf` of the answer that the proof should be about.")] = "",
) -> None:
    """Check such a proof; needs no node and no network."""
    proven = check_proof(read_file(file, MAX_PROOF_FILE_BYTES), operator_key=load_operator_keys(operator_key))
    if leaf and leaf.lower() != proven.leaf_hash:
        raise InputError("the proof holds, and is about another entry than that leaf")
    typer.echo(f"Entry {proven.seq} of {proven.member} in {proven.federation} has leaf hash {proven.leaf_hash}")
    typer.echo(f"and stands in its ledger of {proven.head.size} entries, epoch {proven.head.epoch}.")
    _vouchers(proven)


def _vouchers(proven: Proven) -> None:
    if proven.after is not None:
        typer.echo(f"  Note: {lost_words(proven.after)}")
    for each in proven.vouched:
        typer.echo(f"  {each.witness} vouches for that ledger: {seen_words(proven.head.epoch, utc(each.time))}")
    if not proven.vouched:
        typer.echo("  No witness vouches for that ledger: it is the agency's word alone.")
