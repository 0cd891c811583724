"""Whether a search led to a contact, and why somebody last asked: work on web.db (gateway/database/contract.py)."""

import secrets

from gateway.database.contract import Statement, Work
from gateway.days import DAY_S, day_of
from gateway.web.figure_counts import Reached, count_reached, monday, uncount_reached
from mappings.vocabulary import LawfulBasis, Purpose

KEPT_S = 400 * DAY_S  # times of contact, for figures that compare a year with the one before
ASKED_S = 30 * DAY_S  # nobody tells any more whether a call so long ago reached anybody


def clicked(account_id: int, *, kind: str, search_at: float, now: float) -> Work[str]:
    """A link was followed; the public id under which its answer comes. `kind`: phone, sms, email, or "" if unknown."""
    public_id = secrets.token_hex(16)
    yield Statement(
        "INSERT INTO reach (public_id, account_id, search_at, clicked_at, kind) VALUES (?, ?, ?, ?, ?)",
        (public_id, account_id, search_at, now, kind),
    )
    return public_id


def answered(account_id: int, public_id: str, said: Reached, now: float) -> Work[bool]:
    """Whether somebody was reached; the last word counts. False if this account followed no such link."""
    rows = yield Statement(
        "SELECT search_at, clicked_at, answered, answered_at FROM reach WHERE public_id = ? AND account_id = ?",
        (public_id, account_id),
    )
    if not rows:
        return False
    ((search_at, clicked_at, former, answered_at),) = rows
    yield Statement("UPDATE reach SET answered = ?, answered_at = ? WHERE public_id = ?", (said.value, now, public_id))
    if former is None:
        yield from count_reached(account_id, said, search_at=search_at, clicked_at=clicked_at, now=now)
    elif monday(day_of(answered_at)) == monday(day_of(now)):  # what is counted of a week that is over stays so
        yield from uncount_reached(
            account_id, Reached(former), search_at=search_at, clicked_at=clicked_at, at=answered_at
        )
        yield from count_reached(account_id, said, search_at=search_at, clicked_at=clicked_at, now=now)
    return True


def sweep(now: float) -> Work[None]:
    """Forget old contacts, and earlier those of which nobody has said whether they reached anybody."""
    yield Statement(
        "DELETE FROM reach WHERE clicked_at < ? OR (answered IS NULL AND clicked_at < ?)",
        (now - KEPT_S, now - ASKED_S),
    )


def last_reason(account_id: int) -> Work[str]:
    """Why this account last asked, as forms send it (web/reasons.py); "" if it never has."""
    rows = yield Statement("SELECT purpose, basis FROM last_reason WHERE account_id = ?", (account_id,))
    return ":".join(rows[0]) if rows else ""


def remember_reason(account_id: int, purpose: Purpose, basis: LawfulBasis) -> Work[None]:
    """Begin with this one next time; breaking the glass is never begun with."""
    if purpose is not Purpose.BREAK_GLASS:
        yield Statement(
            "INSERT INTO last_reason (account_id, purpose, basis) VALUES (?, ?, ?) "
            "ON CONFLICT (account_id) DO UPDATE SET purpose = excluded.purpose, basis = excluded.basis",
            (account_id, purpose.value, basis.value),
        )
