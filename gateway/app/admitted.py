"""A node that nobody has admitted yet: says so once, in plain words, and goes on by itself when somebody has.

The operator may list it under another id than it asked for, as when another agency has taken that name. The document
says which: the configuration is changed, and the node starts again under its own name, in the same process. That is
possible as long as it has signed nothing under the old one, and a node that was never admitted has not.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable
from pathlib import Path

from consent_ledger import heads
from gateway.app.node import Node
from gateway.errors import ConfigurationError
from gateway.events import emit
from gateway.files import read_file, replace_file
from gateway.settings import NodeSettings, check_node
from gateway.settings.reading import MAX_FILE_BYTES
from gateway.wire.keys import fingerprint

LOOK_S = 1.0  # between two looks whether a member list has come at all, and whether it has this node

Say = Callable[[str], None]


async def until_renamed(node: Node, config: Path, say: Say) -> NodeSettings:
    """The settings to start again with, once the operator has listed this node under another id; else never.

    Where it cannot take that id by itself it says what to do, and goes on as it is: its pages are this agency's own.
    """
    me = node.parts.me
    name = await _admitted(node, config, say)
    if name != me.member:
        try:
            return await _renamed(node, name, config)
        except ConfigurationError as error:
            emit("node.renamed", level=logging.ERROR, member=me.member, reason=str(error))
            say(str(error))
    await asyncio.Event().wait()
    raise AssertionError


async def _admitted(node: Node, config: Path, say: Say) -> str:
    """Wait until the member list has this node, and say so if that takes long; returns the id under which it has it."""
    membership, me = node.parts.membership, node.parts.me
    said = False
    while not membership.listed.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await membership.listed.wait()
        if not said and membership.received is not None and membership.listed_as is None:
            said = True
            shown = fingerprint(me.signing_key.public_jwk())
            words = (
                f"This node waits for the operator to admit fingerprint {shown} at the hub {node.parts.hubs.address}. "
                "Ring the operator and read it out; then the node goes on by itself."
            )
            emit(
                "node.waiting",
                level=logging.WARNING,
                member=me.member,
                federation=me.federation,
                fingerprint=shown,
                reason=words,
            )
            say(words)
    name = membership.listed_as or me.member
    if said:
        emit("node.admitted", member=name, federation=me.federation)
        say(
            f"The operator has admitted this node, as {name}. What is left to do before it shares anything, members to "
            f"accept and an agreement to sign: patchwork node status --config {config}"
        )
    return name


async def _renamed(node: Node, name: str, config: Path) -> NodeSettings:
    """The settings with the id that the operator has chosen, written down; raises ConfigurationError, what to do."""
    old = node.parts.me.member
    if await node.ledger_database.read(heads.newest()) is not None:
        raise ConfigurationError(
            f"the operator lists this node as {name}, but its ledger is signed as {old}: ask the operator to list it "
            f"as {old} again"
        )
    settings = with_member(config, node.parts.me.federation, old, name)
    emit("node.renamed", level=logging.WARNING, member=name, reason=f"was {old}; the operator lists it so")
    return settings


def with_member(config: Path, federation: str, old: str, name: str) -> NodeSettings:
    """Change one line of the configuration, and nothing if it is not the one that `patchwork node init` wrote.

    Of a node in several federations none but the one named may change its id by that.
    """
    text = read_file(config, MAX_FILE_BYTES).decode("utf-8")
    line = rf'^member = "{re.escape(old)}"$'
    changed, count = re.subn(line, f'member = "{name}"', text, count=2, flags=re.MULTILINE)
    before, settings = check_node(text, config), check_node(changed, config)
    where = "[node]" if len(before.federation) == 1 else f"the [[federation]] of {federation}"
    by_hand = (
        f'the operator lists this node as {name}: write member = "{name}" below {where} in {config}, and start again'
    )
    if count != 1 or _members(settings) != _members(before) | {federation: name}:
        raise ConfigurationError(by_hand)
    try:
        replace_file(config, changed.encode("utf-8"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{by_hand} ({error})") from error
    return settings


def _members(settings: NodeSettings) -> dict[str, str]:
    """This agency's id in each federation."""
    return {each.federation[0].id: each.node.member for each in settings.apart}
