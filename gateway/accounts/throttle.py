"""How often may be tried: per login (whether or not it exists) from one address and from all, per address, per code.

Logins are no secret: whoever tries somebody else's uses up what one address may, and the owner signs in from another.
A try is written down, durably, before it is checked, so that tries sent at once all count and a restart forgives
nothing; a success strikes the slips before it out again. Keys are keyed hashes (keys.py): the table names nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.database.contract import Statement, Work

WINDOW_S = 15 * 60.0
PER_LOGIN = 10  # from one address; NCSC: about ten tries before a limit
PER_LOGIN_ANYWHERE = 50  # so that many addresses do not have ten each
PER_ADDRESS = 100  # a whole agency may come from one
PER_CODE = 5  # of 1,000,000 codes, three of which hold at any time


@dataclass(frozen=True, slots=True)
class Limited:
    """What a try counts towards, and how many of it are allowed within WINDOW_S."""

    key: bytes
    most: int


def begin_try(limits: Sequence[Limited], now: float) -> Work[bool]:
    """Count a try; False, and nothing is counted, if it is one too many of any."""
    for limit in limits:
        ((tries,),) = yield Statement(
            "SELECT count(*) FROM sign_in_failure WHERE key = ? AND at > ?", (limit.key, now - WINDOW_S)
        )
        if tries >= limit.most:
            return False
    yield Statement("INSERT INTO sign_in_failure (key, at) VALUES (?, ?)", [(limit.key, now) for limit in limits])
    return True


def forgive(own: Limited, at: float, *, shared: Sequence[Limited] = ()) -> Work[None]:
    """A try succeeded: earlier ones of its `own` key were slips, and of the `shared` ones only itself does not count.

    Otherwise somebody with an account could try those of others for ever.
    """
    yield Statement("DELETE FROM sign_in_failure WHERE key = ?", (own.key,))
    for each in shared:
        yield from forgive_one(each, at)


def forgive_one(limit: Limited, at: float) -> Work[None]:
    """The try of that time succeeded; those before it still count."""
    yield Statement(
        "DELETE FROM sign_in_failure WHERE rowid = "
        "(SELECT rowid FROM sign_in_failure WHERE key = ? AND at = ? LIMIT 1)",
        (limit.key, at),
    )


def sweep(now: float) -> Work[None]:
    """Remove what no longer counts."""
    yield Statement("DELETE FROM sign_in_failure WHERE at <= ?", (now - WINDOW_S,))
