"""What `patchwork ledger reconcile` finds at a member's node."""

from functools import partial

from gateway.links.counts_client import fetch_counts
from gateway.node.compare_counts import Compared
from gateway.node.reconcile import Silent, reconcile
from tests.federation import TestFederation


async def reconciled(north: TestFederation, member: str, *, since: int) -> list[Compared | Silent]:
    """One result for each member with which there was traffic since that hour."""
    node = north.nodes[member]
    me = node.parts.me
    fetch = partial(
        fetch_counts, session=node.session, me=me.member, key=me.signing_key, clock=north.clock, plain_http=False
    )
    return [each async for each in reconcile(since, node=node.parts, fetch=fetch)]
