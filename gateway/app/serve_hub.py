"""Runs a hub until it is told to stop."""

import asyncio
from functools import partial

from gateway import __version__
from gateway.app.hub import RunningHub, open_hub
from gateway.app.opening import until_stopped
from gateway.clock import SystemClock
from gateway.doctor.expiry import Ending
from gateway.doctor.expiry_watch import hub_endings, keep_warning
from gateway.events import configure_logging, emit
from gateway.memory import collect_rarely
from gateway.settings import HubSettings


async def serve_hub(settings: HubSettings) -> None:
    """Run a hub until SIGINT or SIGTERM."""
    configure_logging()
    running = await open_hub(settings, clock=SystemClock())
    collect_rarely()
    emit("hub.started", hub=settings.hub.id, port=running.listener.port, version=__version__)
    endings = partial(_endings, settings, running)
    warning = asyncio.create_task(keep_warning(endings, running.hub.clock), name="expiry")
    await until_stopped()
    warning.cancel()
    await running.close()
    emit("hub.stopped", hub=settings.hub.id)


def _endings(settings: HubSettings, running: RunningHub) -> list[Ending]:
    return hub_endings(settings, running.hub.directory.newest)
