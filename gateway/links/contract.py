"""The contract that every link fulfils: how a sealed question travels from the hub to one member and its answer back.

A link moves bytes and opens nothing. What goes wrong on the way is a *value*, so that one silent member never becomes
an exception in a fan-out to a hundred (docs/wire.md, "HTTP of a node").
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member
from gateway.wire.request import HashedBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The end of one delivery.

    `answer` is the sealed answer, exactly SEALED_ANSWER_BYTES long, and None unless `outcome` is ANSWERED.
    `fault` says that the member's node or the way to it failed in a manner that no asker can bring about: only this
    counts towards skipping the member for a while, so that nobody can silence a member for others with bad questions.
    """

    outcome: DeliveryOutcome
    answer: bytes | None = None
    fault: bool = False


class Link(Protocol):
    """Guarantees: sends at most once, never again; raises nothing but CancelledError; releases all when cancelled.

    The caller cancels at its deadline: there is one deadline for all members, and it is not kept twice.
    """

    async def deliver(self, member: Member, envelope: HashedBody) -> Delivery:
        """Send one MemberEnvelope (JSON, docs/wire.md) to `member` and wait for its sealed answer."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
