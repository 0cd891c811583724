"""What each account saw of a client when it last looked: work for web.db."""

from gateway.database.contract import Statement, Work
from gateway.days import DAY_S

KEPT_S = 400 * DAY_S  # after which nobody wants to know what has changed


def last_looks(account_id: int) -> Work[dict[int, bytes]]:
    """By person id, what the account saw."""
    rows = yield Statement("SELECT person_id, seen FROM client_seen WHERE account_id = ?", (account_id,))
    return dict(rows)


def note_look(account_id: int, person_id: int, seen: bytes, now: float) -> Work[None]:
    """Remember what it sees now."""
    yield Statement(
        "INSERT INTO client_seen (account_id, person_id, seen, at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (account_id, person_id) DO UPDATE SET seen = excluded.seen, at = excluded.at",
        (account_id, person_id, seen, now),
    )


def sweep(now: float) -> Work[None]:
    """Forget old looks."""
    yield Statement("DELETE FROM client_seen WHERE at < ?", (now - KEPT_S,))
