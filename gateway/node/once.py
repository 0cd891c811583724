"""Requests that have been seen before, by id, until they expire (docs/wire.md, "Requests")."""

from gateway.clock import Clock
from gateway.errors import Replayed
from gateway.wire.limits import SKEW_S
from gateway.wire.request import RequestClaims


class OnlyOnce:
    """In memory alone: what a request brings is, where that matters, refused a second time by the ledger too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}  # oldest first

    def check(self, request: RequestClaims) -> None:
        """Raises Replayed for a request seen before, so that a captured one cannot take places again and again."""
        now = self._clock.now()
        while self._until and next(iter(self._until.values())) < now:
            del self._until[next(iter(self._until))]
        key = (request.issuer, request.jti)
        if key in self._until:
            raise Replayed("this request has been seen before")
        self._until[key] = request.expires_at + SKEW_S
