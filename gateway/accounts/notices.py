"""What accounts are told on the page "Notices": work for web.db.

A notice holds codes and ids. Whoever makes one has seen to it that the account may know what it says.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.accounts.alerts import Alerting, schedule
from gateway.database.contract import Statement, Work

KEPT_S: Final = 90 * 86_400.0
MAX_KEPT: Final = 200  # of one account; older ones go

# Codes that no other file's enumeration has.
RECEIVED: Final = "received"  # an invitation, by whoever is invited
NEW: Final = "new"  # a problem or feedback, for those who deal with it

_COLUMNS = "id, kind, code, person_id, from_account, item, at, read_at"


class Kind(StrEnum):
    """What a notice is about."""

    ATTENTION = "attention"
    CASE = "case"
    CHANGED = "changed"
    CONFIRM = "confirm"
    FEEDBACK = "feedback"
    INVITATION = "invitation"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One of an account's notices, as its page has it."""

    id: int
    kind: Kind
    code: str
    person_id: int | None
    from_account: int | None
    item: str
    at: float
    read: bool


def tell(
    account_id: int,
    kind: Kind,
    code: str,
    *,
    now: float,
    alerting: Alerting | None,
    person_id: int | None = None,
    from_account: int | None = None,
    item: str = "",
) -> Work[None]:
    """Tell an account, and let a mail follow if it wants one."""
    yield Statement(
        "INSERT INTO notice (account_id, kind, code, person_id, from_account, item, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account_id, kind.value, code, person_id, from_account, item, now),
    )
    yield Statement(
        "DELETE FROM notice WHERE account_id = ? AND id <= "
        "(SELECT id FROM notice WHERE account_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (account_id, account_id, MAX_KEPT),
    )
    if alerting is not None:
        yield from schedule(account_id, now, alerting)


def tell_once_more(
    account_id: int,
    kind: Kind,
    codes: Collection[str],
    *,
    now: float,
    alerting: Alerting | None,
    person_id: int | None = None,
) -> Work[None]:
    """The same, but what has not been read yet about the same is replaced by a notice with all the codes."""
    rows = yield Statement(
        "DELETE FROM notice WHERE account_id = ? AND kind = ? AND person_id IS ? AND read_at IS NULL RETURNING code",
        (account_id, kind.value, person_id),
    )
    every = set(codes).union(*(code.split() for (code,) in rows))
    yield from tell(account_id, kind, " ".join(sorted(every)), now=now, alerting=alerting, person_id=person_id)


def notices_of(account_id: int) -> Work[list[Notice]]:
    """All that an account has, the newest first."""
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM notice WHERE account_id = ? ORDER BY id DESC LIMIT ?",  # noqa: S608 - constant
        (account_id, MAX_KEPT),
    )
    return [
        Notice(
            id=row_id,
            kind=Kind(kind),
            code=code,
            person_id=person_id,
            from_account=from_account,
            item=item,
            at=at,
            read=read_at is not None,
        )
        for row_id, kind, code, person_id, from_account, item, at, read_at in rows
    ]


def unread(account_id: int) -> Work[int]:
    """How many an account has not marked as read."""
    ((number,),) = yield Statement(
        "SELECT count(*) FROM notice WHERE account_id = ? AND read_at IS NULL", (account_id,)
    )
    return int(number)


def mark_read(account_id: int, now: float, *, up_to: int) -> Work[None]:
    """All that the page showed have been read: those up to a notice's id."""
    yield Statement(
        "UPDATE notice SET read_at = ? WHERE account_id = ? AND id <= ? AND read_at IS NULL", (now, account_id, up_to)
    )


def mark_one(account_id: int, notice_id: int, now: float) -> Work[bool]:
    """One has been read; False if it is not this account's."""
    rows = yield Statement(
        "UPDATE notice SET read_at = coalesce(read_at, ?) WHERE account_id = ? AND id = ? RETURNING id",
        (now, account_id, notice_id),
    )
    return bool(rows)


def mark_about(account_id: int, item: str, now: float) -> Work[None]:
    """What an account was told of this has been dealt with."""
    yield Statement(
        "UPDATE notice SET read_at = ? WHERE account_id = ? AND item = ? AND read_at IS NULL", (now, account_id, item)
    )


def take_back(account_id: int, item: str) -> Work[None]:
    """What an account was told of this no longer holds."""
    yield Statement("DELETE FROM notice WHERE account_id = ? AND item = ?", (account_id, item))


def forget(notice_ids: Iterable[int]) -> Work[None]:
    """What these asked has been answered elsewhere."""
    yield Statement("DELETE FROM notice WHERE id = ?", [(notice_id,) for notice_id in notice_ids])


def told_since(account_id: int, kind: Kind, person_id: int, since: float) -> Work[bool]:
    """Whether the account was told so about this person since then."""
    rows = yield Statement(
        "SELECT 1 FROM notice WHERE account_id = ? AND kind = ? AND person_id = ? AND at > ?",
        (account_id, kind.value, person_id, since),
    )
    return bool(rows)


def sweep(now: float) -> Work[None]:
    """Forget what is old."""
    yield Statement("DELETE FROM notice WHERE at < ?", (now - KEPT_S,))
