"""Which logged decisions of this node a draft would change: walks the whole ledger, and changes nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from consent_ledger.kinds import ANSWERS, KindClass
from consent_ledger.ledger import Ledger
from consent_ledger.read import Entry
from gateway.days import day_of
from gateway.policy.agreement import Agreement
from gateway.policy.what_if import NotReplayed, Replayed, replay

MAX_NAMED = 5  # entries that cannot be replayed
_GIVE_WAY = 10  # answers replayed at a stretch: some milliseconds


@dataclass(frozen=True, slots=True)
class Change:
    """A changed decision, with the seq of its entry and its day."""

    seq: int
    day: str
    replayed: Replayed


@dataclass(slots=True)
class Found:
    """What the record says about the draft, besides the changes themselves."""

    questions: int = 0
    decisions: int = 0
    more: int = 0
    less: int = 0
    other_terms: int = 0
    other_rule: int = 0
    left_out: Counter[NotReplayed] = field(default_factory=Counter)
    erased: int = 0
    incomplete: list[int] = field(default_factory=list)  # the first MAX_NAMED + 1

    @property
    def changes(self) -> int:
        """How many decisions would be different."""
        return self.more + self.less + self.other_terms


async def replay_ledger(
    ledger: Ledger,
    draft: Agreement,
    *,
    changed: Callable[[Change], None],
    looked_at: Callable[[int], None] = lambda _: None,
) -> Found:
    """Decide every logged question again under a draft; `changed` is told of each decision that would differ.

    `looked_at` is told how many entries have been read. Gives way to other work every few milliseconds.
    """
    found = Found()
    async for entry in ledger.entries():
        if entry.header.kind_class is KindClass.DISCLOSURE:
            _take(entry, draft, found, changed)
            if found.questions % _GIVE_WAY == 0:
                await asyncio.sleep(0)
        looked_at(entry.seq + 1)
    return found


def _take(entry: Entry, draft: Agreement, found: Found, changed: Callable[[Change], None]) -> None:
    """Add what one entry says."""
    if entry.body is None:
        found.erased += 1
        return
    if entry.body["kind"] not in ANSWERS:
        return
    replayed = replay(entry.body, draft)
    if isinstance(replayed, NotReplayed):
        found.left_out[replayed] += 1
        if replayed is NotReplayed.INCOMPLETE and len(found.incomplete) <= MAX_NAMED:
            found.incomplete.append(entry.seq)
        return
    day = day_of(entry.body["at"]).isoformat()
    found.questions += 1
    found.decisions += len(replayed)
    for each in replayed:
        if each.changed:
            found.more += each.after.width > each.before.width
            found.less += each.after.width < each.before.width
            found.other_terms += each.after.width == each.before.width
            changed(Change(entry.seq, day, each))
        elif each.before.rule != each.after.rule:
            found.other_rule += 1
