"""`patchwork hub backup` and `restore`: a copy of a hub that serves, and putting it back.

What is kept apart from what, and why a hub that was put back waits, stands in docs/running-a-hub.md.
"""

from pathlib import Path
from typing import Annotated

import typer

from gateway.app.backup_hub import HubPart, HubPutBack, back_up_hub, put_back_hub
from gateway.cli.options import CLOCK, run
from gateway.cli.times import utc
from gateway.errors import InputError
from gateway.hub.replay import RESTORED_WAIT_S
from gateway.settings import load_hub

HubConfig = Annotated[Path, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG")]


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder: database, configuration, member list.")],
    config: HubConfig = Path("hub.toml"),
    keys: Annotated[Path | None, typer.Option(help="A new folder elsewhere, for the private keys.")] = None,
) -> None:
    """Copy this hub while it serves, with a manifest."""
    settings = load_hub(config)
    at, left_out = back_up_hub(settings, config, _folders(folder, keys), CLOCK)
    typer.echo(f"Backup of {settings.hub.id}, {utc(at)}.")
    if keys is None:
        typer.echo("Not in this backup: the private keys (--keys FOLDER).")
    for path in left_out:
        typer.echo(f"Not in this backup: {path}, which the configuration names.")


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder that `patchwork hub backup` wrote.")],
    config: HubConfig = Path("hub.toml"),
    keys: Annotated[
        Path | None, typer.Option(help="The folder with the private keys, unless they are in place.")
    ] = None,
) -> None:
    """Put a backup where nothing is. Without a file at --config the backup's configuration goes there."""
    _tell(run(put_back_hub(_folders(folder, keys), config, CLOCK)), config)


def _folders(folder: Path, keys: Path | None) -> dict[HubPart, Path]:
    if keys is None:
        return {HubPart.RECORDS: folder}
    for one, other in ((folder, keys), (keys, folder)):
        if one.resolve().is_relative_to(other.resolve()):
            raise InputError("the private keys are to be kept apart: name a folder of their own")
    return {HubPart.RECORDS: folder, HubPart.KEYS: keys}


def _tell(done: HubPutBack, config: Path) -> None:
    typer.echo(f"Put back: {done.records.hub}, as it was on {utc(done.records.at)}.")
    if done.configured:
        typer.echo(f"{config} was there already and is as it was.")
    typer.echo(
        f"It takes no questions for {RESTORED_WAIT_S // 60} minutes from now: those that it saw after the backup it "
        "would not know again, and by then they have expired."
    )
    typer.echo(f"Have the operator copy the newest federation.jws to {done.settings.hub.federation_document}.")
    typer.echo("Of what it saw of members' ledgers after the backup it can no longer tell whether that was rewritten.")
    typer.echo(f"Be sure that the old hub is stopped for good, then: patchwork hub serve --config {config}")
