"""`patchwork node backup` and `restore`: a copy of a node that serves, and putting it back with proof of what is in it.

What is kept apart from what, and why, stands in docs/running-a-node.md, "Back up and restore".
"""

from pathlib import Path
from typing import Annotated

import typer

from consent_ledger.errors import LedgerCorrupt
from gateway.app.backup import BackedUp, back_up, check_free
from gateway.app.backup_manifest import MANIFEST_FILE, Part
from gateway.app.backup_restore import PutBack, lacking, put_back
from gateway.app.node import Node
from gateway.cli.options import CLOCK, Config, InFederation, opened, run
from gateway.cli.times import utc
from gateway.errors import InputError, LedgerDoubtful, PatchworkError
from gateway.node.ledger_comparison import check_own, check_seen
from gateway.node.witnesses import Answer
from gateway.settings import NodeSettings, load_node
from gateway.wire.federation import HUB

_FLAGS = {Part.ACCOUNTS: "--accounts", Part.SECRETS: "--secrets", Part.KEYS: "--keys"}


def backup(
    config: Config,
    federation: InFederation,
    folder: Annotated[Path, typer.Argument(help="A new folder: register, ledger, configuration.")],
    accounts: Annotated[
        Path | None, typer.Option(help="A new folder elsewhere, for the pages' accounts. Keep it for days.")
    ] = None,
    secrets: Annotated[Path | None, typer.Option(help="A new folder elsewhere, for keys.db. Keep it for days.")] = None,
    keys: Annotated[Path | None, typer.Option(help="A new folder elsewhere, for the private keys.")] = None,
    together: Annotated[
        bool, typer.Option("--together", help="All of it below one folder. Whoever has that is this node.")
    ] = False,
) -> None:
    """Copy this node while it serves, all of one moment, with a manifest."""
    done = back_up(
        load_node(config),
        federation,
        config,
        _places(folder, {Part.ACCOUNTS: accounts, Part.SECRETS: secrets, Part.KEYS: keys}, together=together),
        CLOCK,
    )
    _tell(done)


def restore(
    config: Config,
    folder: Annotated[Path, typer.Argument(help="The folder that `patchwork node backup` wrote.")],
    accounts: Annotated[Path | None, typer.Option(help="The folder with web.db, of the same backup.")] = None,
    secrets: Annotated[Path | None, typer.Option(help="The folder with keys.db; the newest there is.")] = None,
    keys: Annotated[
        Path | None, typer.Option(help="The folder with the private keys, unless they are in place.")
    ] = None,
) -> None:
    """Put a backup where nothing is, verify its ledger, and ask the witnesses what it lacks: exit code 1 if anything.

    Without a file at --config the backup's configuration goes there.
    """
    folders = _found(folder, {Part.ACCOUNTS: accounts, Part.SECRETS: secrets, Part.KEYS: keys})
    run(_restored(put_back(folders, config), config))


def _places(folder: Path, others: dict[Part, Path | None], *, together: bool) -> dict[Part, Path]:
    places = {part: path for part, path in others.items() if path is not None}
    if together:
        if places:
            raise InputError("--together puts all below one folder: name no other, or leave it out")
        check_free(folder)
        return {part: folder / part for part in Part}
    places[Part.RECORDS] = folder
    for part, path in places.items():
        for other, beside in places.items():
            if part is not other and path.resolve().is_relative_to(beside.resolve()):
                raise InputError(f"{part} and {other} are to be kept apart: name folders of their own, or --together")
    return places


def _found(folder: Path, others: dict[Part, Path | None]) -> dict[Part, Path]:
    together = not (folder / MANIFEST_FILE).exists() and (folder / Part.RECORDS / MANIFEST_FILE).exists()
    if together:
        others = {part: path or folder / part for part, path in others.items()}
    if others[Part.SECRETS] is None:
        raise InputError("--secrets: where is the backup of keys.db? Without it no entry of the ledger can be opened")
    named = {part: path for part, path in others.items() if path is not None}
    return {Part.RECORDS: folder / Part.RECORDS if together else folder, **named}


def _tell(done: BackedUp) -> None:
    records = done.parts[Part.RECORDS]
    typer.echo(f"Backup of {records.member}, {utc(records.at)}. Ledger: {records.entries} entries, root {records.root}")
    if done.checkpoint is None:
        typer.echo("  it has signed no checkpoint yet: nobody could say later whether all of it is there")
    else:
        head = done.checkpoint.head
        typer.echo(
            f"  its newest checkpoint, in the manifest with its cosignatures: {head.size} entries, epoch {head.epoch}"
        )
    for part, flag in _FLAGS.items():
        if part not in done.parts:
            typer.echo(f"Not in this backup: the {part} ({flag} FOLDER).")
    for path in done.left_out:
        typer.echo(f"Not in this backup: {path}, which the configuration names.")


async def _restored(done: PutBack, config: Path) -> None:
    records = done.records
    typer.echo(f"Put back: {records.member}, as it was on {utc(records.at)}.")
    if done.configured:
        typer.echo(f"{config} was there already and is as it was.")
    if done.secrets.at < records.at:
        typer.echo("keys.db is OLDER than the ledger: is there no newer one? Else: patchwork ledger lost-keys")
    async with opened(_without_agreements(done.settings)) as node:
        whole = await _whole(node, done)
        known = await _witnessed(node)
    typer.echo("What came after the last checkpoint and after this backup, no witness has seen.")
    for path in lacking(done.settings):
        typer.echo(f"NOT THERE: {path}, which the configuration names. Put it there, or the node does not start.")
    if not whole or not known:
        typer.echo("Before it serves: patchwork ledger restore (docs/ledger.md)" if whole else "Take another backup.")
        raise typer.Exit(1)
    typer.echo(f"Be sure that the old node is stopped for good, then: patchwork node serve --config {config}")


def _without_agreements(settings: NodeSettings) -> NodeSettings:
    """To open the node for the comparison alone: their files may lie elsewhere, and no backup has them then."""
    (table,) = settings.federation
    return settings.model_copy(update={"federation": (table.model_copy(update={"agreements": ()}),)})


async def _whole(node: Node, done: PutBack) -> bool:
    """The ledger verifies, and is what the manifest notes."""
    try:
        head = await node.parts.ledger.verify()
        await node.ledger_database.read(check_own(node.checkpoints.witnesses.log.name))
    except (LedgerCorrupt, LedgerDoubtful) as error:
        typer.echo(f"THE LEDGER DOES NOT VERIFY: {error}", err=True)
        return False
    if (head.size, head.root) != (done.records.entries, done.records.root):
        typer.echo("THE LEDGER IS NOT THE ONE that the manifest notes", err=True)
        return False
    typer.echo(f"The ledger verifies: {head.size} entries, root {head.root}, as noted.")
    return True


async def _witnessed(node: Node) -> bool:
    """What each witness holds is in this ledger; False if something is not, or the hub does not say."""
    try:
        await node.parts.membership.refresh()
    except PatchworkError as error:
        typer.echo(f"The member list could not be renewed: {error}", err=True)
    answers = await node.checkpoints.witnesses.ask()
    return all([await _one(node, answer) for answer in answers])  # each is told


async def _one(node: Node, answer: Answer) -> bool:
    who = "the hub" if answer.witness == HUB else answer.witness
    if answer.seen is None:
        typer.echo(f"  {who}: {answer.silent or 'has seen nothing of this ledger'}")
        return not answer.silent or answer.witness != HUB
    held = answer.seen.head
    try:
        await node.ledger_database.read(check_seen(answer.witness, answer.seen))
    except LedgerDoubtful as error:
        typer.echo(f"  {who} holds {held.size} entries, epoch {held.epoch}. SOMETHING IS LOST: {error}")
        return False
    typer.echo(f"  {who} holds {held.size} entries, epoch {held.epoch}: all of them are here")
    return True
