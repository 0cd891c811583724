"""Runs a node until it is told to stop: its doors, and the tasks that keep it current."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gateway import __version__
from gateway.app.admitted import Say, until_renamed
from gateway.app.linking import keep_linked
from gateway.app.node import accept_agreements, listen_node, open_node
from gateway.app.node_limits import admission_of, retention_limits_of
from gateway.app.opening import until_stopped
from gateway.app.web import listen_web
from gateway.clock import Clock, SystemClock
from gateway.doctor.expiry_watch import keep_warning, node_endings
from gateway.events import configure_logging, emit
from gateway.memory import collect_rarely
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
    """Run a node until SIGINT or SIGTERM.

    `say` is for whoever started it. `config`: where `settings` stand, should the operator have chosen another id.
    """
    configure_logging()

    @cache
    def stopped() -> asyncio.Task[None]:
        return asyncio.create_task(until_stopped())

    now: NodeSettings | None = settings
    while now is not None:
        now = await _serve(now, clock=clock or SystemClock(), config=config, say=say, stopped=stopped)


async def _serve(
    settings: NodeSettings, *, clock: Clock, config: Path, say: Say, stopped: Callable[[], asyncio.Task[None]]
) -> NodeSettings | None:
    """Run a node until it is told to stop; returns settings with which it is to start again, None for not."""
    node = await open_node(settings, clock=clock)
    again: NodeSettings | None = None
    try:
        await node.checkpoints.begin()
        dials = settings.node.link == "dial"
        await accept_agreements(node)
        admission = admission_of(settings)
        listener = None if dials else await listen_node(node, admission)
        pages = await listen_web(node)
        telemetry = None
        if settings.telemetry is not None:
            from gateway.app.telemetry import watch_node  # noqa: PLC0415 - loads what only those who are watched need

            telemetry = await watch_node(node, settings.telemetry)
        collect_rarely()
        port = None if listener is None else listener.port
        emit("node.started", member=node.parts.me.member, port=port, version=__version__)
        async with asyncio.TaskGroup() as group:  # a fault in any ends the node: it must not go stale unnoticed
            tasks = [
                group.create_task(node.parts.membership.keep_fresh()),
                group.create_task(node.checkpoints.keep()),
                group.create_task(node.checkpoints.keep_verified()),
                group.create_task(retain_daily(node.parts, node.ledger_database, retention_limits_of(settings))),
                group.create_task(
                    keep_warning(lambda: node_endings(settings, node.parts.membership.received), node.parts.clock)
                ),
                group.create_task(
                    keep_watch(node.parts, settings.cases, None if pages is None else case_teller(pages.site))
                ),
            ]
            linked = group.create_task(keep_linked(node, admission)) if dials else None
            if pages is not None:
                tasks.append(group.create_task(keep_tidy(pages.site)))
                tasks.append(group.create_task(keep_noticing(pages.site)))
                tasks.append(group.create_task(keep_mailing(pages.site)))
            renaming = group.create_task(until_renamed(node, config, say))
            await asyncio.wait([stopped(), renaming], return_when=asyncio.FIRST_COMPLETED)
            again = renaming.result() if renaming.done() and not stopped().done() else None
            if linked is not None:  # first of all, so that the hub sends nothing that would be refused
                linked.cancel()
                await asyncio.wait([linked])
            admission.stop()
            await admission.ended(DRAIN_S)
            for task in (*tasks, renaming):
                task.cancel()
        if pages is not None:
            await pages.close()
        if listener is not None:
            await listener.close()
        await node.checkpoints.end()
        if telemetry is not None:
            await telemetry.close()
    finally:
        await node.close()
    emit("node.stopped", member=node.parts.me.member)
    return again
