"""The hubs of one federation, as one (docs/wire.md, "Several hubs").

A question goes to the first hub, in the order of the settings, that is up. It goes to another only if the first could
not be connected to, or refused it by its own word: never once a hub may have it, for a question is never sent again.
What is fetched is fetched from all, so that no one hub can hold back a document that another serves.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from gateway.clock import Clock
from gateway.errors import HubError, HubNotConnected, HubRefused, PatchworkError, WireError
from gateway.events import emit
from gateway.links.hub_client import CONNECT_S, CoverageClaim, HubClient, Relayed
from gateway.links.hub_health import HubHealth
from gateway.wire.envelope import Envelope
from gateway.wire.limits import MAX_URI_CHARS

NEXT_CONNECT_S = 2.0  # for a connection to a hub while there is another to turn to: somebody waits
_OR = " or "
LATE_S = 2.0  # how long what one hub has told waits for what the others tell

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one hub serves, not yet verified: the federation document and its freshness statement."""

    hub: str
    document: str
    freshness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HubState:
    """How one hub stands: `used`: the next question goes to it; `silent`: why it could not be reached; or ""."""

    hub: str
    used: bool
    silent: str
    aside: bool


class Hubs:
    """One or more hubs, in the order in which they are preferred.

    Methods raise as HubClient's do, when no hub has done what was asked; then the error is that of the first.
    """

    def __init__(self, clients: Sequence[HubClient], *, clock: Clock) -> None:
        self._clients = {client.address: client for client in clients}
        self._health = {hub: HubHealth(clock) for hub in self._clients}
        self._left_out: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        """By which a person knows whom this node asks: all of them, as far as a line has room."""
        said, *others = self._clients
        for other in others:
            if len(said) + len(_OR) + len(other) <= MAX_URI_CHARS:
                said += _OR + other
        return said

    @property
    def states(self) -> tuple[HubState, ...]:
        """As the last visits and questions have left them."""
        used = next(iter(self._order()), "")
        return tuple(
            HubState(hub=hub, used=hub == used, silent=health.silent, aside=health.aside)
            for hub, health in self._health.items()
        )

    def leave_out(self, hubs: Iterable[str]) -> None:
        """Send these nothing but visits: what stands there is no hub of the member list, or says that it is another."""
        self._left_out = frozenset(hubs)

    async def federation(self) -> list[Served]:
        """What each hub serves that answers in time."""

        async def fetch(client: HubClient) -> Served:
            document, freshness = await client.federation()
            return Served(hub=client.address, document=document, freshness=freshness)

        return list((await self._visit(fetch, self._clients)).values())

    async def sealing_keys(self) -> dict[str, dict[str, str]]:
        """Every member's newest sealing-key statement, as each hub serves it, by hub; of those that last answered."""
        heard = [hub for hub in self._order() if not self._health[hub].silent]
        return await self._visit(HubClient.sealing_keys, heard or self._order())

    async def publish_sealing_key(self, statement: str, hubs: Iterable[str]) -> None:
        """Hand this node's own statement to these hubs; one that does not take it is offered it with each refresh."""
        _some(*await self._from_all(lambda client: client.publish_sealing_key(statement), hubs))

    async def ask(self, envelope: Envelope) -> AsyncIterator[Relayed | CoverageClaim]:
        """Post one question to one hub, and yield its lines as they arrive."""
        order = self._to_ask()
        for hub in order:
            is_last = hub == order[-1]
            lines = self._clients[hub].ask(envelope, connect_s=CONNECT_S if is_last else NEXT_CONNECT_S)
            try:
                async with aclosing(lines):
                    async for said in lines:
                        if isinstance(said, CoverageClaim):
                            self._health[hub].carried()
                        yield said
            except HubNotConnected as error:
                self._silent(hub, error)
                if is_last:
                    raise
            except HubRefused as error:
                if is_last or not error.elsewhere:
                    raise
            except (HubError, WireError):
                self._health[hub].broke_off()
                raise
            else:
                return

    def _to_ask(self) -> list[str]:
        order = self._order()
        if not order:
            raise HubRefused("none of the hubs that this node is set to ask is in the member list", elsewhere=False)
        return order

    def _order(self) -> list[str]:
        """Those that are up, then those that are not; each as the settings have them, without those left out."""
        known = [hub for hub in self._clients if hub not in self._left_out]
        return sorted(known, key=lambda hub: not self._health[hub].up)

    async def _visit(self, call: Callable[[HubClient], Awaitable[Told]], hubs: Iterable[str]) -> dict[str, Told]:
        """Fetch from these, and learn which of them are there."""
        told, failed = await self._from_all(call, hubs)
        for hub in told:
            self._heard(hub)
        for hub, error in failed.items():
            self._silent(hub, error)
        return _some(told, failed)

    async def _from_all(
        self, call: Callable[[HubClient], Awaitable[Told]], hubs: Iterable[str]
    ) -> tuple[dict[str, Told], dict[str, PatchworkError]]:
        """What each tells, or why not. When one has told something, the next has LATE_S left."""
        tasks = {asyncio.ensure_future(call(self._clients[hub])): hub for hub in hubs}
        waiting, timeout = set(tasks), None
        told: dict[str, Told] = {}
        failed: dict[str, PatchworkError] = {}
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                for task in done:
                    try:
                        told[tasks[task]] = task.result()
                    except (HubError, WireError) as error:
                        failed[tasks[task]] = error
                timeout = LATE_S if told else None
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        for task in waiting:
            failed[tasks[task]] = HubError(f"the hub at {tasks[task]} is slower than another by {LATE_S:.0f} s")
        in_order = tasks.values()
        return (
            {hub: told[hub] for hub in in_order if hub in told},
            {hub: failed[hub] for hub in in_order if hub in failed},
        )

    def _silent(self, hub: str, error: PatchworkError) -> None:
        if not self._health[hub].silent and len(self._clients) > 1:
            emit("hub.silent", level=logging.WARNING, hub=hub, code=error.code, reason=str(error))
        self._health[hub].silent = str(error)

    def _heard(self, hub: str) -> None:
        if self._health[hub].silent and len(self._clients) > 1:
            emit("hub.heard", hub=hub)
        self._health[hub].silent = ""


def _some(told: dict[str, Told], failed: dict[str, PatchworkError]) -> dict[str, Told]:
    """What was told; raises the first hub's error if none told anything."""
    if not told and failed:
        raise next(iter(failed.values()))
    return told
