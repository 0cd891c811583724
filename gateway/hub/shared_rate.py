"""One rate per member for several hub processes: each request is counted in the hub's database, exactly once.

It is counted in the transaction that keeps the request's id, so it costs no write of its own. A process looks at its
own bucket first (gateway/hub/limits.py), so that who is far beyond its rate does not make the database busy.
"""

from gateway.database.contract import Statement, Work
from gateway.hub.bucket import Bucket, Rate


class SharedRate:
    """Counts in the table `rate`."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate

    def take(self, member: str, now: float) -> Work[None]:
        """Count one request of `member`; raises TooManyRequests, with nothing written, when its rate is used up."""
        rows = yield Statement("SELECT tokens, filled_at FROM rate WHERE member = ?", (member,))
        bucket = Bucket(*rows[0]) if rows else Bucket(self._rate.capacity, now)
        self._rate.fill(bucket, now)
        self._rate.check(bucket)
        yield Statement(
            "INSERT INTO rate (member, tokens, filled_at) VALUES (?, ?, ?) "
            "ON CONFLICT (member) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at",
            (member, bucket.tokens - 1, bucket.filled_at),
        )
