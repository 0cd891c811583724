"""What the hub takes of each member (docs/wire.md, "Envelope"): so many questions a minute, at once, and being read.

State is in memory and small: some numbers per member of the federation document. Of several hub processes each has its
own; what they share of the rate is in gateway/hub/shared_rate.py, and of the places in gateway/hub/places.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.errors import Replayed, TooManyRequests
from gateway.hub.bucket import Bucket, Rate
from gateway.hub.places import Places

MAX_READING_BYTES = 16 * 1024 * 1024  # of one member's questions on their way in: an eighth of what all may have
MAX_REPLAYED = 4_096  # requests; of more the oldest cost their member one again, and the database a look
CONCURRENCY_RETRY_S = 1.0  # about the time in which a running question ends


@dataclass(slots=True)
class _Share:
    bucket: Bucket
    running: int = 0
    reading_bytes: int = 0


class MemberLimits:
    """For each member a token bucket, a count of its questions that run or wait, and the bytes that it is sending."""

    def __init__(
        self, *, rate_per_minute: int, max_concurrent: int, clock: Clock, places: Places | None = None
    ) -> None:
        """`places`: those that several processes share; a single one needs none."""
        self._rate = Rate(rate_per_minute)
        self._max_concurrent = max_concurrent
        self._places = places
        self._clock = clock
        self._shares: dict[str, _Share] = {}
        self._replayed: dict[tuple[str, str], None] = {}  # the one that was noted longest ago first

    def take(self, member: str) -> None:
        """Count one request of `member`; raises TooManyRequests when its rate is used up."""
        share = self._filled(member)
        self._rate.check(share.bucket)
        share.bucket.tokens -= 1

    def replayed(self, member: str, jti: str) -> None:
        """A request of `member` that was counted had been used before: give back what it spent, and remember it."""
        share = self._filled(member)
        share.bucket.tokens = min(self._rate.capacity, share.bucket.tokens + 1)
        while len(self._replayed) >= MAX_REPLAYED:
            del self._replayed[next(iter(self._replayed))]
        self._replayed[member, jti] = None

    def check_replayed(self, member: str, jti: str) -> None:
        """Raises Replayed for a request that was shown again before: it is not counted, nor its body read."""
        if (member, jti) in self._replayed:
            raise Replayed("this request has been used before")

    def spend(self, member: str, wait_s: float) -> None:
        """Another process has counted more of `member`'s requests: take none of it for `wait_s`."""
        self._rate.spend(self._filled(member).bucket, wait_s)

    @contextmanager
    def reading(self, member: str, announced_bytes: int) -> Iterator[None]:
        """Hold what a member is sending while it is read.

        Raises TooManyRequests, before a byte is read, when its rate is used up or it is sending too much already.
        """
        share = self._filled(member)
        self._rate.check(share.bucket)
        if share.reading_bytes and share.reading_bytes + announced_bytes > MAX_READING_BYTES:
            raise TooManyRequests("this member is sending too much at once", retry_after_s=CONCURRENCY_RETRY_S)
        share.reading_bytes += announced_bytes
        try:
            yield
        finally:
            share.reading_bytes -= announced_bytes

    @contextmanager
    def running(self, member: str) -> Iterator[None]:
        """Hold one of the member's places while its question waits and runs; raises TooManyRequests if it has none."""
        share = self._filled(member)
        place = None
        taken = share.running >= self._max_concurrent
        if not taken and self._places is not None:
            place = self._places.take(member, self._max_concurrent)
            taken = place is None
        if taken:
            raise TooManyRequests(
                "this member has too many questions running at once", retry_after_s=CONCURRENCY_RETRY_S
            )
        share.running += 1
        try:
            yield
        finally:
            share.running -= 1
            if self._places is not None and place is not None:
                self._places.give_back(member, place)

    def _filled(self, member: str) -> _Share:
        """The member's share, with a bucket as full as it is by now."""
        now = self._clock.now()
        share = self._shares.setdefault(member, _Share(Bucket(self._rate.capacity, now)))
        self._rate.fill(share.bucket, now)
        return share
