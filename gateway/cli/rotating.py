"""What the commands that make a next key have in common: this agency as it is listed, and what goes to the operator."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import typer

from gateway.app.node import Node
from gateway.cli.options import opened
from gateway.days import DAY_S
from gateway.errors import FederationStale, HubError
from gateway.files import replace_file
from gateway.settings import NodeSettings
from gateway.wire.federation import Member
from gateway.wire.keys import Jwk, fingerprint
from gateway.wire.limits import JOIN_LIFETIME_S


def beside(config: Path, federation: str, name: str) -> Path:
    """Where a request goes; of a node in several federations the file says of which it is."""
    return config.parent / (f"{federation}-{name}" if federation else name)


@contextlib.asynccontextmanager
async def opened_as_listed(settings: NodeSettings) -> AsyncIterator[tuple[Node, Member]]:
    """The node, with what the newest member list that can be had says of it; raises FederationStale."""
    async with opened(settings) as node:
        me, membership = node.parts.me, node.parts.membership
        with contextlib.suppress(HubError):  # what is held will do
            await membership.refresh()
        listed = None if membership.received is None else membership.received.members.get(me.member)
        if listed is None:
            raise FederationStale(f"{me.member} is in no member list that has come here: nothing is to be rotated")
        yield node, listed


def write_for_operator(file: Path, token: str, new: Jwk, *, what: str, command: str, when: str) -> None:
    """Keep what asks the operator to list a next key, and say what to do.

    `what`: the key, in words; `command`: the operator's; `when`: a sentence, from when on it is signed with.
    """
    replace_file(file, token.encode())
    typer.echo(f"The next {what}, to be read out to the operator by telephone:")
    typer.echo(f"  {fingerprint(new)}")
    days = JOIN_LIFETIME_S // DAY_S
    typer.echo(f"Send {file} to the operator within {days} days: patchwork federation {command} {file.name}")
    typer.echo(when)
    typer.echo("Back up the folder of keys: it holds both, until the old one has ended and is removed.")
