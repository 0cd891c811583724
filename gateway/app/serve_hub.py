"""Runs a hub until it is told to stop."""

from collections.abc import Callable, Coroutine

from gateway import __version__
from gateway.app.hub import Sharing, open_hub
from gateway.app.opening import until_stopped
from gateway.clock import SystemClock
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
    emit("hub.started", hub=settings.hub.id, port=running.listener.port, version=__version__)
    said()
    await stopped()
    await running.drain()
    await running.close()
    emit("hub.stopped", hub=settings.hub.id)
