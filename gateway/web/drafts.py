"""Questions that are written and not yet confirmed: in memory, one of each session, for a quarter of an hour."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from gateway.clock import Clock
from gateway.node.question import BreakGlass
from gateway.web.reasons import Reason
from gateway.wire.query import Subject

KEPT_S: Final = 900
MAX_KEPT: Final = 200  # in the whole node; the oldest goes first


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Who is to be asked about, and why the glass is to be broken."""

    id: str
    subject: Subject = field(repr=False)
    reason: Reason
    broken: BreakGlass


class Drafts:
    """By session, which sees its own alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, Draft]] = {}  # oldest first

    def keep(self, subject: Subject, reason: Reason, broken: BreakGlass, *, owner: str) -> Draft:
        """Keep it in place of this session's earlier one."""
        now = self._clock.now()
        self._kept.pop(owner, None)
        self._kept = {each: kept for each, kept in self._kept.items() if now - kept[0] < KEPT_S}
        while len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        draft = Draft(id=secrets.token_urlsafe(16), subject=subject, reason=reason, broken=broken)
        self._kept[owner] = now, draft
        return draft

    def get(self, draft_id: str, owner: str) -> Draft | None:
        """This session's draft of that id, while it lasts."""
        since, draft = self._kept.get(owner, (0.0, None))
        if draft is None or draft.id != draft_id or self._clock.now() - since >= KEPT_S:
            return None
        return draft

    def forget(self, owner: str) -> None:
        """It was asked, or the session has ended."""
        self._kept.pop(owner, None)
