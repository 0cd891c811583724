"""A federation in which one member is hostile, and what it knows from having been honest once."""

import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.links.contract import Delivery
from gateway.links.delivery import REFUSED
from gateway.node.results import Completed, MemberOutcome, MemberResult
from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.request import HashedBody
from tests.federation import TestFederation, federation, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
DEADLINE_MS = 700
TOOK_AT_MOST_S = 2.0  # with the deadline, on a busy machine


@dataclass(slots=True, kw_only=True)
class Heard:
    """A federation without AGENCY's node, its key, and the sealed answers that members gave to one honest question."""

    north: TestFederation
    key: SigningKey
    earlier: dict[str, bytes]


@asynccontextmanager
async def heard_federation(folder: Path, *, dialling: Collection[str] = ()) -> AsyncIterator[Heard]:
    """Three members; the two that are asked know one person. Then AGENCY's node leaves its place to the tests."""
    async with federation(folder, [ASKER, AGENCY, OTHER], dialling=dialling) as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        link = north.hub.hub.link
        honest, earlier = link.deliver, {}

        async def overheard(member: Member, envelope: HashedBody) -> Delivery:
            delivery = await honest(member, envelope)
            assert delivery.answer is not None
            earlier[member.id] = delivery.answer
            return delivery

        link.deliver = overheard  # type: ignore[method-assign]  # to know what a member itself knows
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        link.deliver = honest  # type: ignore[method-assign]
        key = north.nodes[AGENCY].parts.me.signing_key
        await north.stop(AGENCY)
        yield Heard(north=north, key=key, earlier=earlier)


async def ask_of_both(north: TestFederation) -> tuple[MemberResult, float]:
    """AGENCY's result and the seconds until the end; OTHER must have answered meanwhile, and the hub tell the truth."""
    north.hub.hub.circuits.record(AGENCY, REFUSED)  # each test has the hub try it again
    began = time.monotonic()
    shown, agrees = {}, False
    async for event in north.stream(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=DEADLINE_MS):
        if isinstance(event, MemberResult):
            shown[event.member.id] = (event, time.monotonic() - began)
        if isinstance(event, Completed):
            agrees = event.coverage_agrees
    assert agrees
    other, waited = shown[OTHER]
    assert other.outcome is MemberOutcome.TEAMS
    assert waited < DEADLINE_MS / 1000, "an honest member's answer waits for nobody"
    return shown[AGENCY][0], time.monotonic() - began
