"""Runs a hub until it is told to stop."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from gateway import __version__
from gateway.app.hub import RunningHub, open_hub
from gateway.app.hub_shared import Sharing
from gateway.app.opening import until_stopped
from gateway.clock import SystemClock
from gateway.doctor.expiry import Ending
from gateway.doctor.expiry_watch import hub_endings, keep_warning
from gateway.errors import ConfigurationError
from gateway.events import configure_logging, emit
from gateway.memory import collect_rarely
from gateway.settings import HubSettings


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
    emit("hub.started", hub=settings.hub.id, port=running.listener.port, version=__version__)
    said()
    endings = partial(_endings, settings, running)
    warning = asyncio.create_task(keep_warning(endings, running.hub.clock), name="expiry")
    await stopped()
    warning.cancel()
    await running.drain()
    await running.close()
    if telemetry is not None:
        await telemetry.close()
    emit("hub.stopped", hub=settings.hub.id)


def _endings(settings: HubSettings, running: RunningHub) -> list[Ending]:
    return hub_endings(settings, running.hub.directory.newest)
