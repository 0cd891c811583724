"""One question on its way to all asked members at once: a task for each, one deadline for all.

Whatever a member does - refuse, hang, answer a byte a second - is an outcome of that member alone.
"""

import asyncio
import logging
from dataclasses import replace
from types import TracebackType
from typing import Self

from gateway.events import emit
from gateway.hub.circuit import Circuits
from gateway.links.contract import Delivery, Link
from gateway.telemetry.watch import Relaying
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member
from gateway.wire.request import HashedBody

# An asker may set a short deadline; only a member that stayed silent for this long is held to be failing.
FAIR_WAIT_S = 2.0

_NOT_TRIED = Delivery(outcome=DeliveryOutcome.NOT_TRIED)
_BROKEN_LINK = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)


class Relays:
    """The deliveries of one question. Leaving the context cancels what still runs: nobody works for an asker gone."""

    def __init__(self, *, link: Link, circuits: Circuits, wait_s: float, deadline: float, relaying: Relaying) -> None:
        """`wait_s`: how long the members are given; `deadline`: when that ends, on the running loop's clock."""
        self.outcomes: dict[str, DeliveryOutcome] = {}
        self._link = link
        self._circuits = circuits
        self._wait_s = wait_s
        self._relaying = relaying
        self._deadline = deadline
        self._running: dict[str, asyncio.Task[Delivery]] = {}
        self._ended: list[tuple[str, Delivery]] = []
        self._something_ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        abandoned, self._running = self._running, {}
        for member, task in abandoned.items():
            self._circuits.abandon(member)
            task.cancel()
        await asyncio.gather(*abandoned.values(), return_exceptions=True)

    def send(self, member: Member, envelope: HashedBody) -> None:
        """Begin to deliver one member's copy, unless the member is being skipped."""
        traceparent = self._relaying.sending(member.id)
        if traceparent:
            envelope = replace(envelope, traceparent=traceparent)
        if not self._circuits.admits(member.id):
            self.skip(member.id)
            return
        task = asyncio.create_task(self._link.deliver(member, envelope))
        self._running[member.id] = task
        task.add_done_callback(lambda done: self._finish(member.id, done))

    def skip(self, member: str) -> None:
        """Record that nothing is sent to `member`."""
        self._end(member, _NOT_TRIED)

    async def next(self) -> list[tuple[str, Delivery]]:
        """All deliveries that have ended since the last call, waiting for at least one; empty when there are no more.

        At the deadline the rest end together, as timeouts.
        """
        if not self._ended and self._running:
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._something_ended.wait()
            except TimeoutError:
                self._time_out()
        self._something_ended.clear()
        ended, self._ended = self._ended, []
        return ended

    def _finish(self, member: str, task: asyncio.Task[Delivery]) -> None:
        if self._running.pop(member, None) is None or task.cancelled():
            return  # timed out or abandoned before
        error = task.exception()
        if error is not None:
            # Against the contract of links: a bug, which must not cost the other members their answers.
            emit("answer.failed", level=logging.ERROR, member=member, code=type(error).__name__)
        delivery = _BROKEN_LINK if error is not None else task.result()
        self._circuits.record(member, delivery)
        self._end(member, delivery)

    def _time_out(self) -> None:
        silent, self._running = self._running, {}
        timeout = Delivery(outcome=DeliveryOutcome.TIMEOUT, fault=self._wait_s >= FAIR_WAIT_S)
        for member, task in silent.items():
            task.cancel()
            if timeout.fault:
                self._circuits.record(member, timeout)
            else:
                self._circuits.abandon(member)
            self._end(member, timeout)

    def _end(self, member: str, delivery: Delivery) -> None:
        self.outcomes[member] = delivery.outcome
        self._relaying.ended(member, delivery.outcome.value)
        self._ended.append((member, delivery))
        self._something_ended.set()
