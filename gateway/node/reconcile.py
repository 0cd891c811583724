"""Ask each member for its counts and hold them against this node's own (docs/ledger.md, "Reconciling")."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from consent_ledger.errors import LedgerError
from consent_ledger.exchange import settled_until
from gateway.errors import PatchworkError
from gateway.links.counts_client import NoStatement
from gateway.node.compare_counts import Compared, compare
from gateway.node.parts import NodeParts
from gateway.node.storage_fault import storage_fault
from gateway.wire.counts import verify_counts
from gateway.wire.federation import Member
from gateway.wire.limits import MAX_COUNTS_HOURS

Fetch = Callable[[Member, int, int], Coroutine[Any, Any, bytes]]


@dataclass(frozen=True, slots=True)
class Silent:
    """A member that has given no statement that holds, and why; the message quotes nothing of what it said."""

    member: str
    why: str


async def reconcile(since: int, *, node: NodeParts, fetch: Fetch) -> AsyncIterator[Compared | Silent]:
    """Compare with every member with which there was traffic since that hour, a month at a time.

    Begins with the first hour of which this node still keeps counts. A member that fails once is silent for the rest;
    one that keeps counts for a shorter time is silent about what it has dropped. Raises FederationError, StorageError.
    """
    federation = node.membership.current().federation
    until = settled_until(node.clock.now())
    try:
        await node.ledger.settle()
        since = max(since, await node.ledger.exchanged_from())
    except LedgerError as error:
        raise storage_fault(error) from error
    for id_ in await node.ledger.exchanged_with(since, until):
        member = federation.members.get(id_)
        if member is None or not member.active:
            yield Silent(id_, "it is no active member any more")
            continue
        try:
            for start in range(since, until, MAX_COUNTS_HOURS):
                yield await _compare_with(member, start, min(start + MAX_COUNTS_HOURS, until), node=node, fetch=fetch)
        except PatchworkError as error:
            yield Silent(id_, str(error) if isinstance(error, NoStatement) else f"its statement does not hold: {error}")


async def _compare_with(member: Member, since: int, until: int, *, node: NodeParts, fetch: Fetch) -> Compared | Silent:
    token = await fetch(member, since, until)
    now = node.clock.now()
    theirs = verify_counts(
        token,
        issuer=member.id,
        reader=node.me.member,
        federation=node.me.federation,
        keys=member.keys_at(now),
        now=now,
    )
    if theirs.since != since or theirs.until > until:
        raise NoStatement("it spoke of other hours than it was asked for")
    if theirs.until == since:
        return Silent(member.id, f"it has no counts of some of these {until - since} hours, or not yet")
    mine = await node.ledger.exchanged(member.id, since, until)
    return compare(mine, theirs, hub=node.hubs.address, until=until)
