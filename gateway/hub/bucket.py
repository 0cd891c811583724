"""A token bucket: a rate that is saved up for a while, wherever the bucket itself is kept."""

from dataclasses import dataclass

from gateway.errors import TooManyRequests

BURST_S = 10.0  # an unused rate is saved up for this long: a team meeting asks in bursts


@dataclass(slots=True)
class Bucket:
    """How many requests are left, as of when (seconds since 1970)."""

    tokens: float
    filled_at: float


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a minute."""

    per_minute: int

    @property
    def capacity(self) -> float:
        """What a bucket holds."""
        return max(1.0, self.per_minute / 60 * BURST_S)

    def fill(self, bucket: Bucket, now: float) -> None:
        """Add what came since; a clock set back must not freeze a bucket, nor may one set forward overfill it."""
        elapsed = max(0.0, now - bucket.filled_at)
        bucket.tokens = min(self.capacity, bucket.tokens + elapsed * self.per_minute / 60)
        bucket.filled_at = now

    def check(self, bucket: Bucket) -> None:
        """Raises TooManyRequests when less than one request is left."""
        if bucket.tokens < 1:
            wait_s = (1 - bucket.tokens) * 60 / self.per_minute
            raise TooManyRequests("this member's questions per minute are used up", retry_after_s=wait_s)

    def spend(self, bucket: Bucket, wait_s: float) -> None:
        """Leave no more than what lets a request in after `wait_s`."""
        bucket.tokens = min(bucket.tokens, 1 - wait_s * self.per_minute / 60)
