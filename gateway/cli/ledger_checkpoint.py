"""`patchwork ledger checkpoint` and `verify`: the ledger's signed head, and who vouches for how much of it."""

from pathlib import Path
from typing import Annotated

import typer

from consent_ledger import heads
from consent_ledger.checkpoint import split_notes, with_cosignatures
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.heads import Said, Word
from consent_ledger.note import NoteInvalid
from gateway.cli.options import Config, opened, run
from gateway.cli.times import utc
from gateway.errors import InputError, PatchworkError
from gateway.node.vouching import Vouched, vouched, vouched_by
from gateway.settings import NodeSettings, load_node
from gateway.wire.limits import MAX_DOCUMENT_BYTES
from gateway.wire.operator import read_file, replace_file


def checkpoint(
    config: Config,
    out: Annotated[Path | None, typer.Option(help="Also write it, with its cosignatures, into this file.")] = None,
) -> None:
    """Sign the ledger's head and have the witnesses cosign it, now instead of within the hour."""
    run(_checkpoint(load_node(config), out))


def verify(
    config: Config,
    checkpoints: Annotated[
        Path | None, typer.Option(help="A file of checkpoints of this ledger that somebody else has kept.")
    ] = None,
) -> None:
    """Recompute the whole record from its entries; names what does not fit, with exit code 1, and who vouches."""
    run(_verify(load_node(config), checkpoints))


async def _checkpoint(settings: NodeSettings, out: Path | None) -> None:
    async with opened(settings) as node:
        try:
            await node.parts.membership.refresh()  # whose keys and addresses the witnesses have
        except PatchworkError as error:
            typer.echo(f"The member list could not be renewed: {error}", err=True)
        visit = await node.checkpoints.visit()
        head = visit.stored.checkpoint.head
        typer.echo(f"{head.size} entries, epoch {head.epoch}. Root: {head.root.hex()}")
        for word in visit.words:
            typer.echo(f"  {said(word)}")
        if out is not None:
            kept = await node.ledger_database.read(heads.page((head.epoch, head.size - 1), 1))
            replace_file(out, with_cosignatures(kept[0].note, kept[0].cosignatures).encode())


async def _verify(settings: NodeSettings, file: Path | None) -> None:
    async with opened(settings) as node:
        head = await node.parts.ledger.verify()
        typer.echo(f"{head.size} entries, all as they were written. Root: {head.root}")
        database, log = node.ledger_database, node.checkpoints.witnesses.log
        federation = node.parts.membership.received
        if file is None:
            _echo(await vouched(database, log=log, federation=federation))
            return
        try:
            notes = split_notes(read_file(file, MAX_DOCUMENT_BYTES).decode())
            _echo(await vouched_by(notes, database, log=log, federation=federation))
        except (NoteInvalid, UnicodeDecodeError) as error:
            raise InputError(f"{file}: not checkpoints of this ledger: {error}") from error
        except LedgerCorrupt as error:
            raise LedgerCorrupt(f"{file}: {error}") from error


def _echo(found: Vouched) -> None:
    typer.echo(f"{found.checked} checkpoints fit." if not found.ended else f"{found.checked} checkpoints,")
    if found.ended:
        typer.echo(f"of which {found.ended} are of an epoch that has ended, with entries that were lost.")
    for witness, voucher in sorted(found.by.items()):
        head = voucher.checkpoint.head
        typer.echo(f"  {witness} vouches for the first {head.size}, seen {utc(voucher.cosigned.time)}")
    if not found.by:
        typer.echo("  No witness vouches for any of them yet: patchwork ledger checkpoint")


def said(word: Word) -> str:
    """A witness's last word, for a person to read."""
    if word.said is Said.COSIGNED and word.head is not None:
        return f"{word.witness} cosigned {word.head.size} entries, {utc(word.at)}"
    if word.said is Said.REFUSED:
        return f"{word.witness} REFUSED to cosign, {utc(word.at)}: {word.reason}"
    return f"{word.witness}: no word, {utc(word.at)}: {word.reason}"
