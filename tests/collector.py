"""An OpenTelemetry collector for tests: takes OTLP/HTTP on loopback and keeps it, as sent and as read."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.http import Listener, listen


@dataclass(slots=True)
class Collector:
    """What it was sent: `bodies` and `headers` whole, spans with who sent them, figures by who sent them."""

    listener: Listener | None = None
    bodies: list[bytes] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    spans: list[tuple[str, Span]] = field(default_factory=list)
    figures: dict[str, dict[str, Metric]] = field(default_factory=dict)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        assert self.listener is not None
        return f"http://127.0.0.1:{self.listener.port}"

    async def figures_of(self, party: str) -> dict[str, Metric]:
        """Wait for a party's figures."""
        while party not in self.figures:
            self.told.clear()
            await self.told.wait()
        return self.figures[party]

    async def take_traces(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await self._body(request))
        for resource in told.resource_spans:
            party = attributes(resource.resource.attributes)["service.instance.id"]
            self.spans += [(party, span) for scope in resource.scope_spans for span in scope.spans]
        return web.Response()

    async def take_metrics(self, request: web.Request) -> web.Response:
        told = ExportMetricsServiceRequest.FromString(await self._body(request))
        for resource in told.resource_metrics:
            party = attributes(resource.resource.attributes)["service.instance.id"]
            metrics = {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}
            self.figures[party] = metrics
        self.told.set()
        return web.Response()

    async def _body(self, request: web.Request) -> bytes:
        self.headers.append(str(dict(request.headers)))
        self.bodies.append(await request.read())
        return self.bodies[-1]


def attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    """Attributes by key, as text."""
    return {pair.key: pair.value.string_value or str(pair.value.int_value) for pair in pairs}


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """One that listens."""
    running = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", running.take_traces)
    application.router.add_post("/v1/metrics", running.take_metrics)
    running.listener = await listen(application, host="127.0.0.1", port=0)
    try:
        yield running
    finally:
        await running.listener.close()
