"""Figures that are read when somebody asks for them: ages, states, what is under way."""

from collections.abc import Callable
from math import nan

from consent_ledger import heads
from gateway.app.node import Node
from gateway.database.contract import Statement, Work
from gateway.errors import FederationError, StorageError
from gateway.hub.fanout import Hub
from gateway.node.records import last_runs
from gateway.telemetry.figures import Figures, HubFigures, NodeFigures
from gateway.wire.federation import HUB, Federation

COMPLETED = "completed"


async def read_node(node: Node, figures: NodeFigures) -> None:
    """All of a node's; what its databases do not give now is said to be unreadable, and the rest is shown."""
    parts, now = node.parts, node.parts.clock.now()
    membership = parts.membership
    _show_federation(figures, membership.received, membership.current, now)
    word = membership.hub_word
    figures.freshness_age.set(nan if word is None else now - word.time)
    figures.discloses.set(not parts.standing.doubt)
    figures.places.set(parts.watch.places())
    figures.show(figures.links, parts.watch.links)
    try:
        await _read_databases(node, figures, now)
    except StorageError:
        figures.readable.set(0)
    else:
        figures.readable.set(1)


async def read_hub(hub: Hub, figures: HubFigures) -> None:
    """All of a hub's."""
    federation = hub.directory.newest
    _show_federation(figures, federation, hub.directory.federation, hub.clock.now())
    members = () if federation is None else federation.active_members()
    figures.show(figures.skipped, {member.id: hub.circuits.skips(member.id) for member in members})
    figures.show(figures.links, hub.watch.links)
    figures.running.set(hub.turns.running)
    figures.waiting.set(hub.turns.waiting)
    figures.relayed_bytes.set(hub.turns.relayed_bytes)
    try:
        await hub.database.read(_anything())
    except StorageError:
        figures.readable.set(0)
    else:
        figures.readable.set(1)


def _show_federation(figures: Figures, held: Federation | None, in_force: Callable[[], object], now: float) -> None:
    try:
        in_force()
        figures.in_force.set(1)
    except FederationError:
        figures.in_force.set(0)
    figures.seq.set(0 if held is None else held.seq)
    figures.members.set(0 if held is None else len(held.members))
    figures.document_age.set(nan if held is None else now - held.issued_at)
    figures.document_left.set(nan if held is None else held.expires_at - now)


def _anything() -> Work[None]:
    yield Statement("SELECT count(*) FROM sqlite_master")


async def _read_databases(node: Node, figures: NodeFigures, now: float) -> None:
    signed_at = await node.ledger_database.read(heads.newest_signed_at())
    figures.checkpoint_age.set(nan if signed_at is None else now - signed_at)
    cosigned_at = await node.ledger_database.read(heads.cosigned_at())
    witnesses = {HUB, *node.settings.ledger.witnesses}
    figures.show(figures.cosignature_age, {who: now - at for who, at in cosigned_at.items() if who in witnesses})
    ages, failed = {}, {}
    for source in node.settings.source:
        runs = await node.database.read(last_runs(source.name, node.parts.me.federation))
        ended = [(run.finished_at, run.outcome) for run in runs if run.finished_at is not None]
        if ended:
            failed[source.name] = float(ended[0][1] != COMPLETED)
        done = [at for at, outcome in ended if outcome == COMPLETED]
        if done:
            ages[source.name] = now - done[0]
    figures.show(figures.import_age, ages)
    figures.show(figures.import_failed, failed)
