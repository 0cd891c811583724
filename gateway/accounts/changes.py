"""What was done to accounts, by whom and when: lines that are only ever added (work for web.db)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.database.contract import Row, Statement, Work

BY_COMMAND: Final = "command line"
BY_DIRECTORY: Final = "directory"  # the agency's own, at a sign-in

_NEWEST: Final = 1 << 62


class What(StrEnum):
    """One kind of change."""

    CREATED = "created"
    DETAILS = "details"
    ROLE_GIVEN = "role-given"
    ROLE_TAKEN = "role-taken"
    DISABLED = "disabled"
    ENABLED = "enabled"
    LINK_MADE = "link-made"
    FACTOR_RESET = "factor-reset"
    SIGNED_OUT = "signed-out"
    WORKER_LINKED = "worker-linked"
    WORKER_UNLINKED = "worker-unlinked"
    SERVICE_LINKED = "service-linked"
    SERVICE_UNLINKED = "service-unlinked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line: `by` is a public id, BY_COMMAND or BY_DIRECTORY, `by_name` the name of that account now, if any."""

    id: int
    account: str
    account_name: str
    by: str
    by_name: str
    what: What
    detail: str
    at: float

    @property
    def own(self) -> bool:
        """Whether somebody changed their own account."""
        return self.by == self.account


def note(account_id: int, by: str, what: What, now: float, detail: str = "") -> Work[None]:
    """Put it on record, in the transaction that does it."""
    yield Statement(
        "INSERT INTO account_change (account_id, by, what, detail, at) VALUES (?, ?, ?, ?, ?)",
        (account_id, by, what.value, detail, now),
    )


def changes(*, before: int = 0, limit: int, account_id: int | None = None) -> Work[Sequence[Change]]:
    """The newest first, of all accounts or of one; `before` is the id of the last line that was shown."""
    rows = yield Statement(
        "SELECT c.id, a.public_id, a.name, c.by, b.name, c.what, c.detail, c.at FROM account_change c "
        "JOIN account a ON a.id = c.account_id LEFT JOIN account b ON b.public_id = c.by "
        "WHERE c.id < ? AND (? IS NULL OR c.account_id = ?) ORDER BY c.id DESC LIMIT ?",
        (before or _NEWEST, account_id, account_id, limit),
    )
    return [_change(row) for row in rows]


def _change(row: Row) -> Change:
    row_id, account, account_name, by, by_name, what, detail, at = row
    return Change(
        id=row_id,
        account=account,
        account_name=account_name,
        by=by,
        by_name=by_name or "",
        what=What(what),
        detail=detail,
        at=at,
    )
