"""Runs a node until it is told to stop: its doors, and the tasks that keep it current."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gateway import __version__
from gateway.app.admitted import Say, until_renamed
from gateway.app.dialling import keep_linked
from gateway.app.node import Node, accept_agreements, listen_nodes, open_nodes
from gateway.app.node_limits import admission_of, retention_limits_of
from gateway.app.opening import until_stopped
from gateway.app.web import Pages, listen_pages
from gateway.clock import Clock, SystemClock
from gateway.doctor.expiry_watch import keep_warning, node_endings
from gateway.doctor.running import Running, keep_telling, mark_of
from gateway.events import configure_logging, emit
from gateway.memory import collect_rarely
from gateway.node.admission import Admission
from gateway.node.case_watch import keep_watch
from gateway.node.retention import retain_daily
from gateway.settings import NodeSettings
from gateway.web.mailing import keep_mailing
from gateway.web.team_changes import keep_noticing
from gateway.web.tidying import keep_tidy
from gateway.web.told import case_teller

DRAIN_S = 10.0  # at SIGTERM, for answers under way: each leaves at a multiple of the answer delay, 5 s at most


async def serve_node(
    settings: NodeSettings, *, config: Path, clock: Clock | None = None, say: Say = lambda _: None
) -> None:
    """Run a node, in each of its federations, until SIGINT or SIGTERM.

    `say` is for whoever started it. `config`: where `settings` stand, should an operator have chosen another id.
    """
    configure_logging()

    @cache
    def stopped() -> asyncio.Task[None]:
        return asyncio.create_task(until_stopped())

    now: NodeSettings | None = settings
    while now is not None:
        nodes = await open_nodes(now, clock=clock or SystemClock())
        try:
            now = await _serve(nodes, now, config=config, say=say, stopped=stopped)
        finally:
            for node in nodes:
                await node.close()
        for node in nodes:
            emit("node.stopped", member=node.parts.me.member, federation=node.parts.me.federation)


async def _serve(
    nodes: Sequence[Node],
    settings: NodeSettings,
    *,
    config: Path,
    say: Say,
    stopped: Callable[[], asyncio.Task[None]],
) -> NodeSettings | None:
    """Serve until it is told to stop; returns settings with which it is to start again, None for not."""
    for node in nodes:
        await node.checkpoints.begin()
        await accept_agreements(node)
    doors = [(node, admission_of(settings, federations=len(nodes))) for node in nodes]
    dials = settings.node.link == "dial"
    listener = None if dials else await listen_nodes(doors)
    pages = await listen_pages(nodes)
    telemetry = None
    if settings.telemetry is not None:
        from gateway.app.telemetry import watch_nodes  # noqa: PLC0415 - loads what only those who are watched need

        telemetry = await watch_nodes(nodes, settings.telemetry)
    collect_rarely()
    port = None if listener is None else listener.port
    for node in nodes:
        me = node.parts.me
        emit("node.started", member=me.member, federation=me.federation, port=port, version=__version__)
    async with asyncio.TaskGroup() as group:  # a fault in any ends the node: it must not go stale unnoticed
        coroutines = [each for node, site in zip(nodes, pages, strict=True) for each in _tasks(node, site)]
        tasks = [group.create_task(each) for each in coroutines]
        linked = [group.create_task(keep_linked(*door)) for door in doors if dials]
        renaming = [group.create_task(until_renamed(node, config, say)) for node in nodes]
        await asyncio.wait([stopped(), *renaming], return_when=asyncio.FIRST_COMPLETED)
        renamed = [each.result() for each in renaming if each.done() and not stopped().done()]
        await _end(linked)  # first of all, so that no hub sends anything that would be refused
        await _drain([admission for _, admission in doors])
        for task in (*tasks, *renaming):
            task.cancel()
    await asyncio.gather(*(closing.close() for closing in [*pages, listener] if closing is not None))
    await asyncio.gather(*(node.checkpoints.end() for node in nodes))
    if telemetry is not None:
        await telemetry.close()
    return renamed[0] if renamed else None


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _drain(admissions: Sequence[Admission]) -> None:
    for admission in admissions:
        admission.stop()
    await asyncio.gather(*(admission.ended(DRAIN_S) for admission in admissions))


def _tasks(node: Node, pages: Pages | None) -> Iterator[Coroutine[Any, Any, None]]:
    """What keeps a node current in one federation; only its links are not among it."""
    settings, parts = node.settings, node.parts
    yield parts.membership.keep_fresh()
    yield node.checkpoints.keep()
    yield node.checkpoints.keep_verified()
    yield retain_daily(parts, node.ledger_database, retention_limits_of(settings))
    yield keep_warning(lambda: node_endings(settings, parts.membership.received), parts.clock)
    yield keep_telling(settings.node.data, running_of(node))
    yield keep_watch(parts, settings.cases, None if pages is None else case_teller(pages.site))
    if pages is not None:
        yield keep_tidy(pages.site)
        yield keep_noticing(pages.site)
        yield keep_mailing(pages.site)


def running_of(node: Node) -> Callable[[], Running]:
    """What it tells `patchwork doctor` of itself, whenever it is looked at."""
    settings, parts = node.settings, node.parts
    mark = mark_of(settings)
    hubs = settings.federation[0].hubs if settings.node.link == "dial" else ()

    def look() -> Running:
        links = {hub: parts.watch.links.get(hub, 0) > 0 for hub in hubs}
        return Running(at=parts.clock.now(), settings=mark, doubt=parts.standing.doubt, links=links)

    return look
