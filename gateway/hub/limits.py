"""What the hub takes on (docs/wire.md, "Envelope"): so many questions a minute and at once per member, so many bytes.

State is in memory and small: one bucket per member of the federation document. A second hub process has buckets of its
own, so the configured rate is a rate per process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.errors import Overloaded, TooManyRequests

BURST_S = 10.0  # an unused rate is saved up for this long: a team meeting asks in bursts
MAX_RELAYED_BYTES = 512 * 1024 * 1024  # copies and answers in memory at one time, all members together
CONCURRENCY_RETRY_S = 1.0  # about the time in which a running question ends


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    running: int = 0


class MemberLimits:
    """A token bucket and a count of running questions for each member."""

    def __init__(self, *, rate_per_minute: int, max_concurrent: int, clock: Clock) -> None:
        self._rate = rate_per_minute / 60
        self._capacity = max(1.0, self._rate * BURST_S)
        self._max_concurrent = max_concurrent
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._relayed_bytes = 0

    @property
    def questions_running(self) -> int:
        """Of all members together."""
        return sum(bucket.running for bucket in self._buckets.values())

    @property
    def relayed_bytes(self) -> int:
        """Memory set aside for them."""
        return self._relayed_bytes

    def take(self, member: str) -> None:
        """Count one request of `member`; raises TooManyRequests when its rate is used up."""
        now = self._clock.now()
        bucket = self._buckets.setdefault(member, _Bucket(self._capacity, now))
        # A clock that was set back must not freeze the bucket, nor may one set forward overfill it.
        elapsed = max(0.0, now - bucket.filled_at)
        bucket.tokens = min(self._capacity, bucket.tokens + elapsed * self._rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            wait = (1 - bucket.tokens) / self._rate
            raise TooManyRequests("this member's questions per minute are used up", retry_after_s=wait)
        bucket.tokens -= 1

    @contextmanager
    def running(self, member: str, relayed_bytes: int) -> Iterator[None]:
        """Hold one of the member's places, and `relayed_bytes` of memory, while its question runs.

        Raises TooManyRequests when the member has no free place, Overloaded when the hub has no room.
        """
        bucket = self._buckets.setdefault(member, _Bucket(self._capacity, self._clock.now()))
        if bucket.running >= self._max_concurrent:
            raise TooManyRequests(
                "this member has too many questions running at once", retry_after_s=CONCURRENCY_RETRY_S
            )
        # A single question always fits (MAX_ENVELOPE_BYTES), so an idle hub never refuses one for its size.
        if self._relayed_bytes and self._relayed_bytes + relayed_bytes > MAX_RELAYED_BYTES:
            raise Overloaded("the hub relays as much as it can hold")
        bucket.running += 1
        self._relayed_bytes += relayed_bytes
        try:
            yield
        finally:
            bucket.running -= 1
            self._relayed_bytes -= relayed_bytes
