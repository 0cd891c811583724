"""Runs a hub until it is told to stop."""

from gateway import __version__
from gateway.app.hub import open_hub
from gateway.app.opening import until_stopped
from gateway.clock import SystemClock
from gateway.errors import ConfigurationError
from gateway.events import configure_logging, emit
from gateway.memory import collect_rarely
from gateway.settings import HubSettings


async def serve_hub(settings: HubSettings) -> None:
    """Run a hub until SIGINT or SIGTERM."""
    configure_logging()
    running = await open_hub(settings, clock=SystemClock())
    collect_rarely()
    telemetry = None
    if settings.telemetry is not None:
        from gateway.app.telemetry import watch_hub  # noqa: PLC0415 - loads what only those who are watched need

        try:
            telemetry = await watch_hub(running.hub, settings.telemetry, party=settings.hub.id)
        except ConfigurationError:
            await running.close()
            raise
    emit("hub.started", hub=settings.hub.id, port=running.listener.port, version=__version__)
    await until_stopped()
    await running.close()
    if telemetry is not None:
        await telemetry.close()
    emit("hub.stopped", hub=settings.hub.id)
