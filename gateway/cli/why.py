"""`patchwork ledger why`: one entry opened for the officer, with what a decision rested on in words."""

from collections.abc import AsyncIterator
from typing import Annotated

import typer

from consent_ledger.read import Entry
from gateway.app.node import Node
from gateway.cli.options import Config, InFederation, node_of, opened, run
from gateway.errors import InputError
from gateway.reports.as_text import as_text
from gateway.reports.why import why_document
from gateway.settings import NodeSettings

MAX_JTI = 200  # characters; those of the wire are shorter


def why(
    what: Annotated[str, typer.Argument(metavar="SEQ|JTI", help="An entry's number, or a question's id.")],
    config: Config,
    federation: InFederation,
) -> None:
    """Say what an entry decided, and on what; nothing of whom a question was about."""
    if len(what) > MAX_JTI:
        raise InputError(f"an entry's number, or a question's id of at most {MAX_JTI} characters")
    run(_why(node_of(config, federation), what))


async def _why(settings: NodeSettings, what: str) -> None:
    found = False
    async with opened(settings) as node:
        async for entry in _entries(node, what):
            if entry.body is None:
                raise InputError(f"nothing can be read of entry {entry.seq}: its key has been destroyed")
            typer.echo(as_text(why_document(entry.seq, entry.leaf_hash, entry.body)))
            found = True
    if not found:
        raise InputError("there is no such entry")


async def _entries(node: Node, what: str) -> AsyncIterator[Entry]:
    """By number one entry; by a question's id all that are about it, which takes a walk through the whole record."""
    if what.isascii() and what.isdecimal() and len(what) < len(str(2**63)):
        found = await node.parts.ledger.entry(int(what))
        if found is not None:
            yield found[0]
        return
    async for entry in node.parts.ledger.entries():
        if entry.body is not None and entry.body.get("jti") == what:
            yield entry
