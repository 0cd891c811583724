"""Notices who tries out guesses: what each question counts towards, and which budgets are used up (docs/policy.md).

A question counts for its member, its practitioner, and the person as typed (described.py): so five birth dates of one
name are five variants of one person, whether or not anybody of that name is known here. Whom matching found counts
only if they are disclosed: whoever is hidden must change no count, for one that is used up can be seen.

The counts are kept by consent_ledger/budget.py, which refuses an answer that no budget has room for. This remembers
what was refused, so that what was typed so is not even matched again; what a restart forgets is refused, and
remembered, once more.

Break-glass counts apart, under kinds and limits of its own, so that nobody's routine keeps an emergency out
(docs/decisions/budgets.md).
"""

import logging
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from consent_ledger.budget import BudgetSpent, Count, Spend, day_secret
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.days import DAY_S, day_of
from gateway.events import emit
from gateway.matching.record import Asked, asked_of
from gateway.node.described import MOST_WAYS, Way, ways_of
from gateway.wire.query import VerifiedQuery
from mappings.vocabulary import Purpose

MEMBER, PRACTITIONER, PERSON = "member", "practitioner", "person"
SHARED = 4  # times the variants and questions of one person, for what a household or namesakes share

_NAME_BYTES, _VARIANT_BYTES = 16, 8
_LABEL = b"pw/node/budget1"  # BLAKE2b's personalisation, at most 16 bytes
_NO_VARIANT = b""
_ASKERS_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimits:
    """The most in one day (UTC). The last two: one member's questions about one person, and variants of that person,
    each once for break-glass and once for all else.
    """

    per_practitioner: int = 500
    per_member: int = 5000
    break_glass_per_practitioner: int = 20
    break_glass_per_member: int = 100
    per_person: int = 60
    variants_per_person: int = 5


class Asking(NamedTuple):
    """One question as it counts before it is matched; `variant` tells it from other ways to ask about that person.

    `overloaded`: it describes more people than an honest question, and nobody is looked for.
    """

    asked: Asked
    day: int
    secret: bytes
    issuer: str
    variant: bytes
    asker: tuple[Count, Count]
    typed: tuple[Count, ...]
    overloaded: bool
    urgent: bool  # break-glass


class Budgets:
    """One node's budgets. Its memory holds what was used up today, as keyed hashes."""

    def __init__(self, keys: Database, federation: str, clock: Clock, limits: BudgetLimits) -> None:
        """`keys` is the key store."""
        self._keys = keys
        self._federation = federation
        self._clock = clock
        self._limits = limits
        self._begin(-1, b"")

    def _begin(self, day: int, secret: bytes) -> None:
        self._day, self._secret = day, secret
        self._spent: set[bytes] = set()
        self._askers: dict[tuple[str, str, bool], tuple[Count, Count]] = {}

    async def asking(self, query: VerifiedQuery) -> Asking:
        """What this question counts towards before it is matched; raises StorageError. Reads nothing but once a day."""
        now = self._clock.now()
        day = int(now) // DAY_S
        if day != self._day:
            secret = await self._keys.write(day_secret(self._federation, day))
            if day != self._day:  # else another question was faster
                self._begin(day, secret)
        question, secret = query.query, self._secret
        asked = asked_of(question.subject, today=day_of(now))
        issuer, variant = question.issuer, _keyed(secret, _VARIANT_BYTES, asked)
        urgent = question.purpose is Purpose.BREAK_GLASS
        ways = ways_of(asked)
        overloaded = len(ways) > MOST_WAYS
        typed = tuple([self._of_typed(way, issuer, variant, urgent) for way in (ways[:1] if overloaded else ways)])
        asker = self._of_asker(issuer, question.practitioner.id, urgent)
        return Asking(asked, self._day, secret, issuer, variant, asker, typed, overloaded, urgent)

    def spend(self, asking: Asking, person_id: int | None = None) -> Spend:
        """What goes on record: the person as typed and, only if they are about to be disclosed, who that is.

        Nobody else may be counted, known surely or not: a hidden person's count would be seen once it is used up.
        `withheld` if a budget is known to be used up. Nothing is counted behind that one: the rows of a day stay
        bounded.
        """
        counts = (*asking.asker, *asking.typed)
        if person_id is not None:
            kind = _kind(PERSON, asking.urgent)
            name = _keyed(asking.secret, _NAME_BYTES, (kind, asking.issuer, person_id))
            counts = (*counts, self._of_person(kind, name, asking.variant))
        if self._spent:
            for place, count in enumerate(counts):
                if count.name in self._spent:
                    return Spend(asking.day, counts[: place + 1], withheld=True)
        return Spend(asking.day, counts, withheld=asking.overloaded)

    def remember(self, refused: BudgetSpent, query: VerifiedQuery) -> None:
        """Take note of what is used up, and alert somebody: with ids alone, and once a day.

        Each count by itself: whose answer was refused says nothing about anybody else whom the question names.
        """
        for count in refused.counts:
            if count.name not in self._spent:
                self._spent.add(count.name)
                emit(
                    "budget.spent",
                    level=logging.WARNING,
                    jti=query.query.jti,
                    member=query.sender.id,
                    kind=count.kind,
                )

    def _of_asker(self, issuer: str, practitioner: str, urgent: bool) -> tuple[Count, Count]:
        """Of the member and of its practitioner; remembered, for they ask again."""
        known = self._askers.get((issuer, practitioner, urgent))
        if known is None:
            if len(self._askers) >= _ASKERS_REMEMBERED:
                self._askers.clear()
            limits = self._limits
            most, most_each = limits.per_member, limits.per_practitioner
            if urgent:
                most, most_each = limits.break_glass_per_member, limits.break_glass_per_practitioner
            of_all, of_one = _kind(MEMBER, urgent), _kind(PRACTITIONER, urgent)
            member = _keyed(self._secret, _NAME_BYTES, (of_all, issuer))
            own = _keyed(self._secret, _NAME_BYTES, (of_one, issuer, practitioner))
            known = self._askers[issuer, practitioner, urgent] = (
                Count(of_all, member, _NO_VARIANT, most, 1),
                Count(of_one, own, _NO_VARIANT, most_each, 1),
            )
        return known

    def _of_typed(self, way: Way, issuer: str, variant: bytes, urgent: bool) -> Count:
        kind = _kind(way.kind, urgent)
        # No part has a NUL: ids, and what normalise.py leaves of what was typed.
        text = "\0".join((kind, issuer, "shared" if way.shared else "one", *way.who))
        name = blake2b(text.encode(), key=self._secret, digest_size=_NAME_BYTES, person=_LABEL).digest()
        return self._of_person(kind, name, variant, SHARED if way.shared else 1)

    def _of_person(self, kind: str, name: bytes, variant: bytes, times: int = 1) -> Count:
        limits = self._limits
        return Count(kind, name, variant, times * limits.per_person, times * limits.variants_per_person)


def _kind(kind: str, urgent: bool) -> str:
    """What is counted, in words; it is hashed too, so that break-glass shares no count with anything else."""
    return f"break-glass-{kind}" if urgent else kind


def _keyed(secret: bytes, size: int, of: tuple[object, ...] | Asked) -> bytes:
    """A keyed hash of plain values; their `repr` leaves no doubt where one ends and the next begins."""
    return blake2b(repr(of).encode(), key=secret, digest_size=size, person=_LABEL).digest()
