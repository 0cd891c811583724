"""What a node or hub sends to an OpenTelemetry collector. Loaded only where `[telemetry] otlp` is set."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from gateway.settings import TelemetryTable
from gateway.telemetry.otlp_figures import FigureExport
from gateway.telemetry.tracing import Tracing, resource_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """Spans go as they end, figures every `every_s`."""

    tracing: Tracing
    export: FigureExport
    read: Callable[[], Awaitable[None]]
    task: asyncio.Task[None]

    async def send_now(self) -> None:
        """Send what there is, spans and figures, without waiting for their time."""
        await self.read()
        await asyncio.to_thread(self.export.send)
        await asyncio.to_thread(self.tracing.send_now)

    async def close(self) -> None:
        """Send the spans that wait, once, and no longer than a collector is given for it."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        await asyncio.to_thread(self.tracing.close)
        await asyncio.to_thread(self.export.close)


def collect(
    url: str,
    table: TelemetryTable,
    registry: CollectorRegistry,
    read: Callable[[], Awaitable[None]],
    *,
    service: str,
    party: str,
) -> Collecting:
    """Begin. `read` brings the registry up to date; `service` and `party` say who sends."""
    resource = resource_of(service, party)
    export = FigureExport(url, registry, resource=resource, ca_file=table.ca_file)

    async def keep_sending() -> None:
        while True:
            await asyncio.sleep(table.every_s)
            await read()
            await asyncio.to_thread(export.send)  # a collector that is down is in the log, by the library's name

    return Collecting(
        tracing=Tracing(url, resource=resource, share=table.traced_share, ca_file=table.ca_file),
        export=export,
        read=read,
        task=asyncio.create_task(keep_sending(), name="figures"),
    )
