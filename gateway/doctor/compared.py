"""The comparison of `patchwork node status`, made without opening the node: its ledger against what witnesses hold."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from consent_ledger.checkpoint import Checkpoint, verify_by_any
from consent_ledger.errors import LedgerError
from consent_ledger.note import NoteInvalid
from gateway.clock import Clock
from gateway.doctor.looking import read_only
from gateway.errors import ConfigurationError, FederationError, HubError, LedgerDoubtful, StorageError, WireError
from gateway.links.hub_client import node_connector
from gateway.links.witness_client import WitnessAddress, WitnessClient
from gateway.node.identity import Identity, load_identity
from gateway.node.ledger_comparison import check_own, check_seen
from gateway.node.witnesses import NOT_OURS
from gateway.settings import PLAIN_HTTP_WORDS, NodeSettings, is_loopback
from gateway.wire.federation import HUB, Federation


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What witnesses hold of this node: `seen` by witness, verified as its own. `hub_silent`: why the hub's is missing.

    `foreign`: the hub shows a checkpoint that no key of this node has signed.
    """

    log: str = ""
    seen: tuple[tuple[str, Checkpoint], ...] = ()
    foreign: bool = False
    hub_silent: str = ""


async def ask_witnesses(settings: NodeSettings, document: Federation | None, clock: Clock) -> Held:
    """Ask the hub and the members that the settings name; what cannot be had is left out."""
    node, federation = settings.node, settings.federation[0]
    try:
        me = load_identity(node.keys, member=node.member, federation=federation.id)
        connector = node_connector(federation.ca_file)
    except ConfigurationError:
        return Held()  # check_keys() and the hub's finding say so
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        client = WitnessClient(session, member=me.member, key=lambda: me.signing_key, clock=clock)
        asked = dict(_addresses(settings, document))
        said = await asyncio.gather(*(_ask(client, address, me) for address in asked.values()))
    answers = dict(zip(asked, said, strict=True))
    of_hub = answers[HUB]
    return Held(
        log=me.log_key.name,
        seen=tuple((witness, each) for witness, each in answers.items() if isinstance(each, Checkpoint)),
        foreign=of_hub == NOT_OURS,
        hub_silent=of_hub if isinstance(of_hub, str) and of_hub != NOT_OURS else "",
    )


def compare(file: Path, held: Held) -> str:
    """Why a node with this ledger would disclose nothing, as its log would say it; "" if nothing speaks against it."""
    try:
        if held.log:
            read_only(file, check_own(held.log))
        for witness, seen in held.seen:
            read_only(file, check_seen(witness, seen))
    except (LedgerDoubtful, LedgerError) as error:
        return str(error)
    except StorageError:
        return ""  # check_databases() says so
    return f"the hub {NOT_OURS}" if held.foreign else ""


def _addresses(settings: NodeSettings, document: Federation | None) -> Iterator[tuple[str, WitnessAddress]]:
    """Where they are; members that cannot be asked (node/witnesses.py) are left out."""
    federation = settings.federation[0]
    yield HUB, WitnessAddress(url=federation.witness_hub or federation.hubs[0], aud=federation.id)
    members = {} if document is None else document.members
    for witness in settings.ledger.witnesses:
        endpoint = members[witness].endpoint if witness in members else None
        plain = settings.node.plain_http == PLAIN_HTTP_WORDS
        if endpoint is not None and (endpoint.startswith("https://") or plain or is_loopback(endpoint)):
            yield witness, WitnessAddress(url=endpoint, aud=witness)


async def _ask(client: WitnessClient, address: WitnessAddress, me: Identity) -> Checkpoint | str | None:
    """What one holds; None if nothing; or in words why it is not known."""
    try:
        held = await client.held(address)
    except (HubError, WireError, FederationError) as error:
        return str(error)[:200]
    if held.note is None:
        return None
    try:
        return verify_by_any(held.note, me.log_keys)[0]
    except NoteInvalid:
        return NOT_OURS
