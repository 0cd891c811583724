"""How often one asker may ask in a day, and in how many ways about one person: counted where answers go on record.

Counts are rows of the ledger's database, written in the transaction that appends the answer, so that they survive a
restart and nobody gets past them by asking at once. They say nothing by themselves: whom a count is about stands there
as a keyed hash, made by the caller under the day's secret. That secret is in the key store alone and is destroyed two
days later; then no list of names tells any more whom old rows are about.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from consent_ledger.errors import LedgerError
from consent_ledger.record import SECRET_BYTES
from consent_ledger.storage import Value, Work

PURGE_ROWS = 512  # of earlier days, in one transaction; more than one adds
NAMES_PER_STATEMENT = 256

_READ = "SELECT name, variant, questions FROM asked_today WHERE day = ? AND name IN ("


class Count(NamedTuple):
    """One count of a day: `name` and `variant` are keyed hashes, `kind` says in words what was spent.

    It is spent by `most_questions`, and by one more than `most_variants` different variants, from then on for all.
    """

    kind: str
    name: bytes
    variant: bytes
    most_questions: int
    most_variants: int


class Spend(NamedTuple):
    """What one question counts towards. `withheld`: it is refused for it already, and only to be counted."""

    day: int
    counts: tuple[Count, ...]
    withheld: bool = False


class BudgetSpent(LedgerError):
    """The answer may not be given today: `counts` are used up. Nothing was written."""

    def __init__(self, counts: tuple[Count, ...]) -> None:
        """The message names nobody."""
        super().__init__("a budget is used up")
        self.counts = counts


@dataclass(slots=True)
class Tally:
    """The counts that one transaction needs: read once, added up in memory, written once."""

    _stored: dict[tuple[int, bytes], dict[bytes, int]] = field(default_factory=dict)
    _changed: set[tuple[int, bytes, bytes]] = field(default_factory=set)

    def load(self, spends: Iterable[Spend]) -> Work[None]:
        """Read what is on record of all that these questions count towards."""
        wanted: dict[int, list[bytes]] = {}
        for spend in spends:
            for count in spend.counts:
                if (spend.day, count.name) not in self._stored:
                    self._stored[spend.day, count.name] = {}
                    wanted.setdefault(spend.day, []).append(count.name)
        for day, names in wanted.items():
            for start in range(0, len(names), NAMES_PER_STATEMENT):
                some = names[start : start + NAMES_PER_STATEMENT]
                # Padded to a power of two, so that few different statements have to be prepared.
                some += [some[-1]] * ((1 << (len(some) - 1).bit_length()) - len(some))
                rows = yield _READ + ",".join("?" * len(some)) + ")", (day, *some)
                for name, variant, questions in rows:
                    self._stored[day, name][variant] = questions

    def spent(self, spend: Spend) -> tuple[Count, ...]:
        """Those of a question's counts that leave no room for it."""
        if spend.withheld:
            return ()
        return tuple([count for count in spend.counts if _is_spent(count, self._stored[spend.day, count.name])])

    def add(self, spend: Spend) -> None:
        """Count a question that goes on record. Of one person's variants, one beyond the limit is kept to mark it."""
        for count in spend.counts:
            seen = self._stored[spend.day, count.name]
            if count.variant in seen or len(seen) <= count.most_variants:
                seen[count.variant] = seen.get(count.variant, 0) + 1
                self._changed.add((spend.day, count.name, count.variant))

    def write(self, today: int) -> Work[None]:
        """Store what changed, and remove some of what is older than yesterday."""
        if not self._changed:
            return
        rows: list[tuple[Value, ...]] = [
            (day, name, variant, self._stored[day, name][variant]) for day, name, variant in sorted(self._changed)
        ]
        yield (
            "INSERT INTO asked_today (day, name, variant, questions) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (day, name, variant) DO UPDATE SET questions = excluded.questions",
            rows,
        )
        yield (
            "DELETE FROM asked_today WHERE (day, name, variant) IN"
            " (SELECT day, name, variant FROM asked_today WHERE day < ? ORDER BY day LIMIT ?)",
            (today - 1, PURGE_ROWS),
        )


def _is_spent(count: Count, seen: Mapping[bytes, int]) -> bool:
    if sum(seen.values()) >= count.most_questions:
        return True
    return len(seen) + (count.variant not in seen) > count.most_variants


def day_secret(federation: str, day: int, *, forget: bool = True) -> Work[bytes]:
    """The secret of a day (days since 1970), made if there is none. Key store.

    Those before yesterday are destroyed, if `forget`: for whoever knows that the clock is right.
    """
    yield (
        "INSERT INTO day_key (federation, day, secret) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (federation, day, os.urandom(SECRET_BYTES)),
    )
    if forget:
        yield "DELETE FROM day_key WHERE federation = ? AND day < ?", (federation, day - 1)
    ((secret,),) = yield "SELECT secret FROM day_key WHERE federation = ? AND day = ?", (federation, day)
    found: bytes = secret
    return found
