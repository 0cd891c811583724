"""A hub's wiring: its parts, opened from its settings, and its door."""

import asyncio
import contextlib
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.app.counting import count_requests
from gateway.app.hub_shared import Shared, Sharing, share
from gateway.app.opening import REQUEST_LIMIT_S, listening_tls, make_private_folder
from gateway.clock import Clock
from gateway.database.sqlite import open_sqlite
from gateway.http import Listener, listen, protect
from gateway.hub.bucket import Rate
from gateway.hub.circuit import Circuits
from gateway.hub.clocks import MemberClocks
from gateway.hub.directory import open_directory
from gateway.hub.fanout import LAST_WRITES_S, Hub
from gateway.hub.keys import HubKeys
from gateway.hub.limits import MemberLimits
from gateway.hub.replay import RESTORED_WAIT_S, waits_until
from gateway.hub.routes import hub_application
from gateway.hub.sealing_keys import open_sealing_keys
from gateway.hub.shared_rate import SharedRate
from gateway.hub.turns import MAX_RELAYED_BYTES, MAX_WAITING_BYTES, Turns
from gateway.hub.witness import HubWitness, witness_key
from gateway.links.either import EitherLink
from gateway.links.https import HttpsLink
from gateway.links.websocket import WebSocketLink
from gateway.settings import PLAIN_HTTP_WORDS, HubSettings
from gateway.telemetry.watch import HubWatch
from gateway.wire.keys import SigningKey
from gateway.wire.operator import load_operator_keys

DRAIN_S = 3.0  # for answers on their way over links when the hub stops; they take a fraction of a second


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningHub:
    """A hub that listens.

    `current`: what goes on beside requests and keeps it current, for ever; it fails as soon as any part of it does.
    """

    hub: Hub
    links: WebSocketLink
    listener: Listener
    current: asyncio.Task[None]
    shared: Shared | None = None

    async def drain(self) -> None:
        """Take no more questions, and let those under way end within their deadlines; the door stays open to say so.

        Of several processes none closes its links before the others' questions have ended: they go over them.
        """
        self.hub.turns.stop()
        within_s = self.hub.deadline_ms / 1000 + LAST_WRITES_S
        began = time.monotonic()
        await self.hub.turns.ended(within_s)
        if self.shared is not None:
            await self.shared.siblings.all_done(max(0.0, began + within_s - time.monotonic()))

    async def close(self) -> None:
        """Let answers under way arrive, stop listening, then release links and database."""
        await self.links.close(within_s=DRAIN_S)
        await self.listener.close()
        self.current.cancel()
        await asyncio.wait([self.current])
        await self.hub.link.close()
        if self.shared is not None:
            self.shared.close()
        await self.hub.database.close()


async def open_hub(settings: HubSettings, *, clock: Clock, sharing: Sharing | None = None) -> RunningHub:
    """A hub that listens; raises ConfigurationError or StorageError. `sharing`: as one process of several."""
    table = settings.hub
    keys = HubKeys(table.keys)
    make_private_folder(table.data)
    plain_http = table.plain_http == PLAIN_HTTP_WORDS
    processes = 1 if sharing is None else sharing.processes
    async with contextlib.AsyncExitStack() as undo:
        database = await open_sqlite(table.data / "hub.db", schema="hub")
        undo.push_async_callback(database.close)
        directory = await open_directory(
            document=table.federation_document,
            operator_keys=lambda: load_operator_keys(table.operator_key),
            hub_keys=keys,
            database=database,
            clock=clock,
        )
        sealing_keys = await open_sealing_keys(directory=directory, database=database, clock=clock)
        watch = HubWatch()
        clocks = MemberClocks(database=database, clock=clock)

        def key() -> SigningKey:
            return keys.current

        links = WebSocketLink(key=key, clock=clock, changed=watch.linked)
        shared = None
        if sharing is not None:
            shared = await share(table.data, sharing, links=links, key=key, clock=clock)
            undo.callback(shared.close)
        link = EitherLink(
            https=HttpsLink(key=key, clock=clock, ca_file=table.ca_file, plain_http=plain_http),
            websocket=links,
            siblings=None if shared is None else shared.siblings,
        )
        undo.push_async_callback(link.close)
        hub = Hub(
            directory=directory,
            database=database,
            limits=MemberLimits(
                rate_per_minute=table.rate_per_minute,
                max_concurrent=table.max_concurrent,
                clock=clock,
                places=None if shared is None else shared.places,
            ),
            circuits=Circuits(clock=clock) if shared is None else shared.circuits,
            link=link,
            key=key,
            clock=clock,
            deadline_ms=table.deadline_ms,
            watch=watch,
            turns=Turns(
                max_running=max(1, table.max_running // processes),
                max_relayed_bytes=MAX_RELAYED_BYTES // processes,
                max_waiting_bytes=MAX_WAITING_BYTES // processes,
            ),
            shared_rate=None if sharing is None else SharedRate(Rate(table.rate_per_minute)),
            clocks=clocks,
            waits_until=min(await database.read(waits_until()), clock.now() + RESTORED_WAIT_S),
        )
        witness = HubWitness(key=witness_key(table.keys), hub_key=key, database=database)
        application = hub_application(
            hub=hub, sealing_keys=sealing_keys, witness=witness, links=links, behind_proxy=table.behind_proxy
        )
        protect(application, time_limit_s=REQUEST_LIMIT_S)
        application.middlewares.insert(0, count_requests(hub.watch))
        host, port = table.listen
        if sharing is not None:
            port = sharing.port
        listener = await listen(
            application, host=host, port=port, tls=listening_tls(table.tls), shared=sharing is not None
        )
        undo.pop_all()
    beside = [directory.watch(), clocks.keep()]
    if shared is not None:
        beside += [sealing_keys.watch(), shared.siblings.keep()]
    current = asyncio.create_task(_together(beside), name="current")
    return RunningHub(hub=hub, links=links, listener=listener, current=current, shared=shared)


async def _together(beside: list[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in beside:
            group.create_task(each)
