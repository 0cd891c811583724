"""Runs a hub until it is told to stop."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from gateway import __version__
from gateway.app.hub import DRAIN_S, RunningHub, open_hub
from gateway.app.hub_shared import Sharing
from gateway.app.opening import until_stopped
from gateway.clock import SystemClock
from gateway.doctor.expiry import Ending
from gateway.doctor.expiry_watch import hub_endings, keep_warning
from gateway.errors import ConfigurationError
from gateway.events import configure_logging, emit
from gateway.http import SHUTDOWN_S
from gateway.hub.fanout import LAST_WRITES_S
from gateway.links.websocket import CLOSE_S
from gateway.memory import collect_rarely
from gateway.settings import HubSettings

COLLECTOR_S = 5.0  # for the last spans and figures: what telemetry/tracing.py, which is optional, gives them
MARGIN_S = 5.0  # for the database, and for a machine that is busy


async def serve_hub(
    settings: HubSettings,
    *,
    sharing: Sharing | None = None,
    said: Callable[[], None] = lambda: None,
    stopped: Callable[[], Coroutine[None, None, None]] = until_stopped,
) -> None:
    """Run a hub until SIGINT or SIGTERM. The rest is for one process of several: `said` is called once it listens."""
    configure_logging()
    running = await open_hub(settings, clock=SystemClock(), sharing=sharing)
    collect_rarely()
    telemetry = None
    if settings.telemetry is not None:
        from gateway.app.telemetry import watch_hub  # noqa: PLC0415 - loads what only those who are watched need

        try:
            processes = 1 if sharing is None else sharing.processes
            telemetry = await watch_hub(running.hub, settings.telemetry, party=settings.hub.id, processes=processes)
        except ConfigurationError:
            await running.close()
            raise
    table = settings.hub
    if sharing is None:
        emit("hub.started", hub=table.id, port=running.listener.port, version=__version__)
    else:
        emit("hub.worker_started", hub=table.id, worker=sharing.number, port=sharing.port, version=__version__)
    said()
    try:
        async with asyncio.TaskGroup() as group:  # a fault in any ends the hub: it must not go stale unnoticed
            beside = [
                group.create_task(_as_long_as(running.current)),
                group.create_task(keep_warning(partial(_endings, settings, running), running.hub.clock)),
            ]
            await stopped()
            for each in beside:
                each.cancel()
        await running.drain()
    finally:
        await running.close()
        if telemetry is not None:
            await telemetry.close()
    if sharing is None:
        emit("hub.stopped", hub=table.id)
    else:
        emit("hub.worker_stopped", hub=table.id, worker=sharing.number)


def stops_within_s(deadline_ms: int) -> float:
    """How long a hub with something under way may take to stop, from what each part of it is given."""
    questions = deadline_ms / 1000 + LAST_WRITES_S
    links = DRAIN_S + CLOSE_S
    telemetry = SHUTDOWN_S + COLLECTOR_S
    return questions + links + SHUTDOWN_S + telemetry + MARGIN_S


async def _as_long_as(current: asyncio.Task[None]) -> None:
    """Fails if it does; it goes on while this hub drains."""
    await asyncio.shield(current)


def _endings(settings: HubSettings, running: RunningHub) -> list[Ending]:
    return hub_endings(settings, running.hub.directory.newest)
