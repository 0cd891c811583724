"""What those may do at a hub who are no members: so little that nobody notices them.

In memory and bounded; of several hub processes each counts for itself.
"""

from gateway.clock import Clock
from gateway.errors import TooManyRequests
from gateway.hub.bucket import Bucket, Rate

OF_ONE = Rate(30)  # a minute: whoever joins asks once, and again if something was wrong
OF_ALL = Rate(600)  # each costs a signature to check, at most: some 50 µs
MAX_ADDRESSES = 4_096


class Strangers:
    """A rate for each address and one for all together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all = Bucket(OF_ALL.capacity, clock.now())
        self._by_address: dict[str, Bucket] = {}  # the one that asked longest ago first

    def take(self, address: str) -> None:
        """Count one request; raises TooManyRequests when this address, or all of them, have asked too much."""
        now = self._clock.now()
        bucket = self._by_address.pop(address, None) or Bucket(OF_ONE.capacity, now)
        while len(self._by_address) >= MAX_ADDRESSES:
            del self._by_address[next(iter(self._by_address))]
        self._by_address[address] = bucket
        OF_ONE.fill(bucket, now)
        OF_ALL.fill(self._all, now)
        try:
            OF_ONE.check(bucket)  # first, so that one address cannot use up what all have
            OF_ALL.check(self._all)
        except TooManyRequests as error:
            raise TooManyRequests("too many requests of strangers", retry_after_s=error.retry_after_s) from None
        bucket.tokens -= 1
        self._all.tokens -= 1
