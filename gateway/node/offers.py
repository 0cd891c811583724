"""What the hubs of a federation serve, verified, and which of it a node takes up (docs/wire.md, "Several hubs")."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.links.hubs import Served
from gateway.wire.federation import Federation
from gateway.wire.freshness import Freshness, verify_freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One hub's: the operator's document, and that hub's word on it, of which `token` is the statement."""

    hub: str
    received: Federation
    freshness: Freshness
    token: str


def read_offer(served: Served, verified: Callable[[bytes], Federation], now: float) -> Offer:
    """(1) the operator's signature, by `verified` (2) the hub's, under a key of that document (3) its clock.

    The statement has just been made. Raises WireError, FederationStale, FederationRolledBack, ClockWrong.
    """
    received = verified(served.document.encode("utf-8"))  # (1)
    freshness = verify_freshness(served.freshness, received, now)  # (2)
    freshness.check_clock(now)  # (3)
    return Offer(hub=served.hub, received=received, freshness=freshness, token=served.freshness)


def worth_taking(offers: Iterable[Offer], held: Federation | None) -> list[Offer]:
    """What to hold against `held`, in turn: the newest, and whatever shows that one seq has two contents.

    Of one document, the word that is good for longest. A hub that is behind another is no alarm: the operator copies
    documents to one hub after the other.
    """
    by_document: dict[str, Offer] = {}
    for offer in offers:
        same = by_document.get(offer.received.sha256)
        if same is None or same.freshness.expires_at < offer.freshness.expires_at:
            by_document[offer.received.sha256] = offer
    newest = max((offer.received.seq for offer in by_document.values()), default=0)
    return sorted(
        (offer for offer in by_document.values() if offer.received.seq == newest or _contradicts(offer.received, held)),
        key=lambda offer: offer.received.seq,
    )


def _contradicts(received: Federation, held: Federation | None) -> bool:
    return held is not None and received.seq == held.seq and received.sha256 != held.sha256
