"""What those may do at a hub who are no members: so little that nobody notices them.

Whoever asks again and again, from however many addresses, takes no room from those who come for the first time, as one
does who was invited. In memory and bounded; of several hub processes each counts for itself.
"""

from ipaddress import IPv6Address, IPv6Network

from gateway.clock import Clock
from gateway.errors import TooManyRequests
from gateway.hub.bucket import Bucket, Rate

OF_ONE = Rate(30)  # a minute: whoever joins asks once, and again if something was wrong
OF_NETWORK = Rate(
    120
)  # of an IPv6 network of the size that a site is given (RFC 6177): it has 65,536 addresses of OF_ONE
OF_ALL = Rate(600)  # each costs a signature to check, at most: some 50 µs
OF_NEW = Rate(600)  # of networks that have not asked for NEW_S, beside OF_ALL
NEW_S = 600.0
MAX_ADDRESSES = 4_096
_SITE_BITS = 48


class Strangers:
    """A rate for each address and network, one for all who ask again, and one for all who are new."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all = Bucket(OF_ALL.capacity, clock.now())
        self._new = Bucket(OF_NEW.capacity, clock.now())
        self._by_address: dict[str, Bucket] = {}  # the one that asked longest ago first
        self._by_network: dict[str, Bucket] = {}

    def take(self, address: str) -> None:
        """Count one request; raises TooManyRequests when this address, its network, or all have asked too much."""
        now, network = self._clock.now(), _network(address)
        before = self._by_network.get(network)
        is_new = before is None or now - before.filled_at > NEW_S
        counted = [  # the narrowest first, so that one address cannot use up what others have
            (OF_ONE, _bucket(self._by_address, address, OF_ONE, now)),
            (OF_NETWORK, _bucket(self._by_network, network, OF_NETWORK, now)),
            (OF_NEW, self._new) if is_new else (OF_ALL, self._all),
        ]
        for rate, bucket in counted:
            rate.fill(bucket, now)
        try:
            for rate, bucket in counted:
                rate.check(bucket)
        except TooManyRequests as error:
            raise TooManyRequests("too many requests of strangers", retry_after_s=error.retry_after_s) from None
        for _, bucket in counted:
            bucket.tokens -= 1

    def welcome(self, address: str) -> None:
        """It has shown an invitation of the operator's: when it comes again it counts as new."""
        self._by_network.pop(_network(address), None)


def _bucket(buckets: dict[str, Bucket], key: str, rate: Rate, now: float) -> Bucket:
    """The bucket of `key`, as the one that asked last."""
    bucket = buckets.pop(key, None) or Bucket(rate.capacity, now)
    while len(buckets) >= MAX_ADDRESSES:
        del buckets[next(iter(buckets))]
    buckets[key] = bucket
    return bucket


def _network(address: str) -> str:
    """The site of an IPv6 address; of any other, the address."""
    try:
        return str(IPv6Network((IPv6Address(address).packed, _SITE_BITS), strict=False).network_address)
    except ValueError:
        return address
