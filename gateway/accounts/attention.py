"""Fixed phrases that somebody sends to the others around a client: each once a day. Work for web.db."""

from datetime import date, timedelta
from enum import StrEnum

from gateway.database.contract import Statement, Work


class Phrase(StrEnum):
    """What can be said; there are no other words."""

    CALL_ME = "call-me"
    CLOSING = "closing"
    NEW_WORKER = "new-worker"


def raise_once(account_id: int, person_id: int, phrase: Phrase, today: date) -> Work[bool]:
    """Note that it is said today; False if it has been."""
    rows = yield Statement(
        "INSERT INTO attention_raised (account_id, person_id, code, day) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING RETURNING code",
        (account_id, person_id, phrase.value, today.isoformat()),
    )
    return bool(rows)


def raised_today(account_id: int, person_id: int, today: date) -> Work[list[Phrase]]:
    """What has been said today."""
    rows = yield Statement(
        "SELECT code FROM attention_raised WHERE account_id = ? AND person_id = ? AND day = ?",
        (account_id, person_id, today.isoformat()),
    )
    return [Phrase(code) for (code,) in rows]


def sweep(today: date) -> Work[None]:
    """Yesterday's no longer count."""
    yield Statement("DELETE FROM attention_raised WHERE day < ?", ((today - timedelta(days=1)).isoformat(),))
