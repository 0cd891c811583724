"""What this node says to another member about the traffic between them (docs/wire.md, "Counts")."""

from consent_ledger.errors import LedgerError
from consent_ledger.exchange import settled_until
from gateway.node.parts import NodeParts
from gateway.node.storage_fault import storage_fault
from gateway.wire.counts import Counts, Hour, sign_counts


async def statement_for(member: str, since: int, until: int, *, node: NodeParts) -> str:
    """Signed counts of the hours from `since`; they end with the last one that nothing can change any more.

    Of no hour at all, if counts of the first are no longer kept: what is missing must not be read as none.
    Raises StorageError.
    """
    now = node.clock.now()
    until = max(since, min(until, settled_until(now)))
    try:
        await node.ledger.settle()
        if since < await node.ledger.exchanged_from():
            until = since
        counted = await node.ledger.exchanged(member, since, until)
        head = await node.ledger.signed_head()
    except LedgerError as error:
        raise storage_fault(error) from error
    counts = Counts(
        issuer=node.me.member,
        reader=member,
        federation=node.me.federation,
        hub=node.hubs.address,
        since=since,
        until=until,
        hours={
            hour: Hour(answered=each.answered, received=each.received, unfinished=each.unfinished)
            for hour, each in counted.items()
        },
        ledger_size=head.size,
        ledger_root=head.root,
    )
    return sign_counts(counts, key=node.me.signing_key, now=now)
