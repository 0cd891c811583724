"""Lets a serving node or hub be watched, as its `[telemetry]` table says; loaded only where there is one.

    GET /metrics    Prometheus' text format, on `[telemetry] listen` alone, never on the door of the node or hub; 421
                    unless it is asked for by address

A scrape reads what is under way just then; nothing is asked of the hub or of other members for it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from gateway.app.current_figures import read_hub, read_node
from gateway.app.node import Node
from gateway.app.opening import REQUEST_LIMIT_S
from gateway.errors import ConfigurationError
from gateway.http import Listener, listen, protect
from gateway.hub.fanout import Hub
from gateway.settings import TelemetryTable
from gateway.telemetry.by_federation import by_federation
from gateway.telemetry.figures import HubFigures, NodeFigures
from gateway.telemetry.watch import HubWatch, NodeWatch

if TYPE_CHECKING:
    from gateway.app.collecting import Collecting

METRICS_PATH = "/metrics"
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
NO_LIBRARY = "telemetry.otlp: needs more packages: pip install 'patchwork-gateway[telemetry]'"

Read = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What watches a node or hub."""

    listener: Listener
    collecting: "Collecting | None"
    watches: tuple[NodeWatch | HubWatch, ...] = field(repr=False)

    async def close(self) -> None:
        """Watch no longer."""
        for watch in self.watches:
            watch.figures = None
            watch.tracing = None
        await self.listener.close()
        if self.collecting is not None:
            await self.collecting.close()


async def watch_nodes(nodes: Sequence[Node], table: TelemetryTable) -> Telemetry:
    """Watch a node that listens, in all its federations: of several, each figure says in its label `federation` whose.

    Raises ConfigurationError when the port is taken or packages are missing.
    """
    figures = {node.parts.me.federation: NodeFigures() for node in nodes}

    async def read() -> None:
        for node in nodes:
            await read_node(node, figures[node.parts.me.federation])

    telemetry = await _open(
        table,
        [node.parts.watch for node in nodes],
        by_federation(figures),
        read,
        service="patchwork-node",
        party="+".join(dict.fromkeys(node.parts.me.member for node in nodes)),
    )
    for node in nodes:
        node.parts.watch.figures = figures[node.parts.me.federation]
    return telemetry


async def watch_hub(hub: Hub, table: TelemetryTable, *, party: str, processes: int = 1) -> Telemetry:
    """Watch a hub that listens; raises ConfigurationError likewise.

    Of `processes` that serve one hub each has figures of its own, at the first port from `listen` on that is free.
    """
    figures = HubFigures()
    read = partial(read_hub, hub, figures)
    for port in range(table.listen[1], table.listen[1] + processes):
        own = table.model_copy(update={"listen": (table.listen[0], port)})
        try:
            telemetry = await _open(own, [hub.watch], figures.registry, read, service="patchwork-hub", party=party)
            break
        except ConfigurationError:
            if port == table.listen[1] + processes - 1:
                raise
    hub.watch.figures = figures
    return telemetry


async def _open(
    table: TelemetryTable,
    watches: Sequence[NodeWatch | HubWatch],
    registry: CollectorRegistry,
    read: Read,
    *,
    service: str,
    party: str,
) -> Telemetry:
    collecting = None
    listener = await listen(_application(registry, read), host=table.listen[0], port=table.listen[1])
    if table.otlp is not None:
        try:
            from gateway.app.collecting import collect  # noqa: PLC0415 - optional, and slow to load
        except ModuleNotFoundError as error:
            await listener.close()
            raise ConfigurationError(NO_LIBRARY) from error
        collecting = collect(table.otlp, table, registry, read, service=service, party=party)
        for watch in watches:
            watch.tracing = collecting.tracing
    return Telemetry(listener=listener, collecting=collecting, watches=tuple(watches))


def _application(registry: CollectorRegistry, read: Read) -> web.Application:
    async def get_metrics(request: web.Request) -> web.Response:
        if not _by_address(request.headers.get("Host", "")):
            raise web.HTTPMisdirectedRequest
        await read()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": TEXT_FORMAT})

    application = web.Application()
    application.router.add_get(METRICS_PATH, get_metrics)
    return protect(application, time_limit_s=REQUEST_LIMIT_S)


def _by_address(host: str) -> bool:
    """Whether a Host header has an address or `localhost`.

    A page of anybody's, open in a browser on this machine, reads a port whose address its own name is made to mean
    (DNS rebinding); then that name stands here.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False
