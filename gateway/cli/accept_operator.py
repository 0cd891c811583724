"""`patchwork node accept-operator`, `patchwork hub accept-operator`: follow the operator to its next key.

The operator's key is what everything else is believed by, so a person here decides, after comparing its fingerprint by
telephone: the old key's word alone is worth nothing once somebody has stolen it
(docs/decisions/rotating-the-keys-that-others-pin.md).
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.app.node import NODE_FILE
from gateway.cli.options import Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.database.contract import Statement, Work
from gateway.database.sqlite import open_sqlite
from gateway.days import day_of
from gateway.doctor.looking import read_only
from gateway.errors import InputError, NotAuthentic, PatchworkError
from gateway.files import read_file, replace_file
from gateway.hub.directory import kept_document
from gateway.node.membership_rows import forget_federation
from gateway.settings import NodeSettings, load_hub
from gateway.settings.hub import HubTable
from gateway.wire.federation import verify_document
from gateway.wire.hand_over import HandOver, OperatorKeys, follow_hand_overs, hand_overs_file
from gateway.wire.keys import VerifyKey, fingerprint
from gateway.wire.limits import MAX_DOCUMENT_BYTES
from gateway.wire.operator import load_operator_keys, load_verify_key

ReplaceBy = Annotated[
    Path | None,
    typer.Option(
        "--replace-by",
        metavar="FILE",
        help="The operator's key was lost or stolen: trust the one in this file, which nothing vouches for.",
    ),
]


def accept_operator(config: Config, federation: InFederation, replace_by: ReplaceBy = None, yes: Yes = False) -> None:
    """Accept the operator's next key, as the member list names it, after comparing its fingerprint by telephone."""
    settings = node_of(config, federation)
    if replace_by is None:
        run(_accept_at_node(settings, yes=yes))
        return
    # Without opening the node, which trusts nothing that it holds once its pinned key is another.
    table = settings.federation[0]
    new = _shown_replacement(table.operator_key, replace_by, yes=yes)
    _replace_pin(table.operator_key, new)  # first: a node that runs meanwhile writes nothing more by the old one's word
    run(_forget(settings.node.data / NODE_FILE, "node", forget_federation(table.id)))
    typer.echo("Members that the new key lists wait for this agency: `patchwork node accept`.")


def accept_operator_at_hub(
    config: Annotated[Path, typer.Option("--config", "-c", envvar="PATCHWORK_CONFIG")] = Path("hub.toml"),
    replace_by: ReplaceBy = None,
    yes: Yes = False,
) -> None:
    """Accept the operator's next key at this hub, as its member list names it."""
    table = load_hub(config).hub
    if replace_by is not None:
        new = _shown_replacement(table.operator_key, replace_by, yes=yes)
        run(_forget(table.data / "hub.db", "hub", _forget_document()))
        _replace_pin(table.operator_key, new)
        typer.echo("Copy the federation.jws that the new key has signed here, and start the hub.")
        return
    keys = load_operator_keys(table.operator_key)
    _accept(table.operator_key, keys, _named_to_hub(table, keys), yes=yes)
    typer.echo("A running hub takes what that key signs within seconds.")


def _named_to_hub(table: HubTable, keys: OperatorKeys) -> HandOver | None:
    """What the file names; once the next key has signed that, what the document names that the hub has kept."""
    token = read_file(table.federation_document, MAX_DOCUMENT_BYTES).strip()
    try:
        return verify_document(token, operator_key=keys, now=None).hand_over
    except NotAuthentic as error:
        file = table.data / "hub.db"
        kept = read_only(file, kept_document()) if file.exists() else None
        said = None if kept is None else verify_document(kept, operator_key=keys, now=None).hand_over
        if said is None:
            raise InputError(
                f"{table.federation_document}: not signed with the operator's key that this hub trusts, and no member "
                "list that this hub has taken names a next one. Ask the operator whether the key is another now; if "
                "so, have its file given to you in person: --replace-by"
            ) from error
        return said


async def _accept_at_node(settings: NodeSettings, *, yes: bool) -> None:
    federation = settings.federation[0]
    async with opened(settings) as node:
        with contextlib.suppress(PatchworkError):  # what is held will do, when the new key signs already
            await node.parts.membership.refresh()
        received = node.parts.membership.received
        keys = load_operator_keys(federation.operator_key)
        _accept(federation.operator_key, keys, None if received is None else received.hand_over, yes=yes)
    typer.echo("A running node believes it within half a minute.")


def _accept(pinned: Path, keys: OperatorKeys, said: HandOver | None, *, yes: bool) -> None:
    """Show, ask, and lay the statement beside the pinned key; raises InputError if there is nothing to accept."""
    if said is None:
        raise InputError("the member list names no next key of the operator")
    if said.new.kid in keys.keys:
        raise InputError("the operator's next key has been accepted here already")
    file = hand_overs_file(pinned)
    text = "".join(f"{line}\n" for line in [*_lines(file), said.token])
    follow_hand_overs(load_verify_key(pinned), text, file)  # it must go on from what was accepted before
    typer.echo(f"The operator hands over to the key\n  {fingerprint(said.new.jwk())}")
    typer.echo(f"and signs with the old one until {day_of(said.until)}.")
    ask_first("Has the operator read out the same fingerprint, by a way that you knew before?", yes=yes)
    replace_file(file, text.encode())


def _lines(file: Path) -> list[str]:
    return read_file(file, MAX_DOCUMENT_BYTES).decode("ascii", "replace").split() if file.exists() else []


def _shown_replacement(pinned: Path, replace_by: Path, *, yes: bool) -> VerifyKey:
    old, new = load_operator_keys(pinned).newest, load_verify_key(replace_by)
    typer.echo(f"Trusted until now:\n  {fingerprint(old.jwk())}")
    typer.echo(f"Trusted from now on, though the old one has not signed it:\n  {fingerprint(new.jwk())}")
    ask_first("Has the operator told you so in person, and read out the same fingerprint?", yes=yes)
    return new


def _replace_pin(pinned: Path, new: VerifyKey) -> None:
    """The old key's public half stays, for documents that it has signed: evidence of that time is checked with it."""
    old = load_verify_key(pinned)
    with contextlib.suppress(FileNotFoundError):
        hand_overs_file(pinned).unlink()  # first: they do not follow from the new key
    if old != new:  # else its file has been put there already
        replace_file(pinned.with_name(f"{pinned.stem}-{old.kid}.jwk"), orjson.dumps(old.jwk()))
        replace_file(pinned, orjson.dumps(new.jwk()))


async def _forget(file: Path, schema: str, work: Work[None]) -> None:
    """What a database holds of the old operator's documents, if there is one."""
    if not await asyncio.to_thread(file.exists):
        return
    database = await open_sqlite(file, schema=schema)
    try:
        await database.write(work)
    finally:
        await database.close()


def _forget_document() -> Work[None]:
    yield Statement("DELETE FROM federation_document")
