"""`patchwork ledger checkpoint` and `verify`: the ledger's signed head, and who vouches for how much of it."""

from pathlib import Path
from typing import Annotated

import typer

from consent_ledger import heads
from consent_ledger.checkpoint import split_notes, with_cosignatures
from consent_ledger.errors import LedgerCorrupt
from consent_ledger.heads import Said, Word
from consent_ledger.note import NoteInvalid
from gateway.app.node import Node
from gateway.cli.options import Config, InFederation, node_of, opened, run
from gateway.cli.times import utc
from gateway.errors import InputError, LedgerDoubtful, PatchworkError
from gateway.files import read_file, replace_file
from gateway.node.doubts import compared
from gateway.node.vouching import Vouched, vouched, vouched_by
from gateway.settings import NodeSettings
from gateway.wire.limits import MAX_DOCUMENT_BYTES


def checkpoint(
    config: Config,
    federation: InFederation,
    out: Annotated[Path | None, typer.Option(help="Also write it, with its cosignatures, into this file.")] = None,
) -> None:
    """Sign the ledger's head and have the witnesses cosign it, now instead of within the hour."""
    run(_checkpoint(node_of(config, federation), out))


def verify(
    config: Config,
    federation: InFederation,
    checkpoints: Annotated[
        Path | None, typer.Option(help="A file of checkpoints of this ledger that somebody else has kept.")
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Of a copy without keys.db: do not hold entries against it.")
    ] = False,
) -> None:
    """Recompute the whole record and ask its witnesses; exit code 1 if anything does not fit, or none can be asked."""
    run(_verify(node_of(config, federation), checkpoints, keys=not without_keys))


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


async def _verify(settings: NodeSettings, file: Path | None, *, keys: bool) -> None:
    async with opened(settings) as node:
        head = await node.parts.ledger.verify(keys=keys)
        typer.echo(f"{_many(head.size, 'entry', 'entries')}, all as they were written. Root: {head.root}")
        if not keys:
            typer.echo("  Not held against keys.db: whether any was hidden under another key is not said.")
        database, logs = node.ledger_database, node.checkpoints.witnesses.logs
        federation = node.parts.membership.received
        if file is None:
            _echo(await vouched(database, logs=logs, federation=federation))
            await _ask_witnesses(node)
            return
        try:
            notes = split_notes(read_file(file, MAX_DOCUMENT_BYTES).decode())
            _echo(await vouched_by(notes, database, logs=logs, federation=federation))
        except (NoteInvalid, UnicodeDecodeError) as error:
            raise InputError(f"{file}: not checkpoints of this ledger: {error}") from error
        except LedgerCorrupt as error:
            raise LedgerCorrupt(f"{file}: {error}") from error


async def _ask_witnesses(node: Node) -> None:
    """Entries that are missing at the end leave no gap: only witnesses know how far the ledger had come."""
    try:
        silent = await compared(node.checkpoints)
    except LedgerDoubtful as error:
        typer.echo(f"THE RECORD IS IN DOUBT: {error}. See docs/ledger.md, Failures.", err=True)
        raise typer.Exit(1) from error
    if silent:
        typer.echo(f"NOT COMPARED, so entries may be missing at its end: {silent}", err=True)
        raise typer.Exit(1)
    typer.echo("It has all that the witnesses who answered hold of it.")


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _echo(found: Vouched) -> None:
    checked = _many(found.checked, "checkpoint", "checkpoints")
    typer.echo(f"{checked}," if found.ended else f"{checked} {'fits' if found.checked == 1 else 'fit'}.")
    if found.ended:
        typer.echo(
            f"of which {found.ended} {'is' if found.ended == 1 else 'are'} of an epoch that has ended, with entries"
            " that were lost."
        )
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
