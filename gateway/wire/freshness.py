"""The hub's word that a federation document is the newest (docs/wire.md, "Freshness")."""

from dataclasses import dataclass

from gateway.wire.federation import Federation
from gateway.wire.keys import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A verified statement; `time` is the hub's clock, for the check of one's own."""

    seq: int
    sha256: str
    time: int
    expires_at: int


def sign_freshness(document: Federation, hub_key: SigningKey, now: float, *, lifetime_s: int = 3600) -> str:
    raise NotImplementedError


def verify_freshness(token: str | bytes, federation: Federation, now: float) -> Freshness:
    """Raises FederationStale when it has expired, NotForUs when it names another document."""
    raise NotImplementedError
