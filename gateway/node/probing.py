"""Notices who tries out guesses: what each question counts towards, and which budgets are used up (docs/policy.md).

A question counts for its member, its practitioner, the person as typed, and the person whom it came nearest to, known
surely or not: so five spellings of one name are five variants of one person, whether or not anybody of that name is
known here. The counts are kept by consent_ledger/budget.py, which refuses an answer that no budget has room for. This
remembers what was refused, so that the next question of the kind is not even matched; what a restart forgets is
refused, and remembered, once more.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from consent_ledger.budget import BudgetSpent, Count, Spend, day_secret
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.events import emit
from gateway.matching.normalise import skeleton
from gateway.matching.record import Asked, asked_of
from gateway.wire.query import VerifiedQuery

MEMBER, PRACTITIONER, TYPED, PERSON = "member", "practitioner", "typed-person", "person"

_NAME_BYTES, _VARIANT_BYTES = 16, 8
_LABEL = b"pw/node/budget1"  # BLAKE2b's personalisation, at most 16 bytes
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most in one day (UTC). The last two: one member's questions about one person, and variants of that person."""

    per_practitioner: int = 500
    per_member: int = 5000
    per_person: int = 60
    variants_per_person: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One question as it counts: `spend` without the matched person, and what adds that one."""

    day: int
    secret: bytes
    issuer: str
    counts: tuple[Count, ...]
    variant: bytes


class Budgets:
    """One node's budgets. Its memory holds what was used up today, as keyed hashes."""

    def __init__(self, keys: Database, federation: str, clock: Clock, limits: Limits) -> None:
        """`keys` is the key store."""
        self._keys = keys
        self._federation = federation
        self._clock = clock
        self._limits = limits
        self._day = -1
        self._secret = b""
        self._spent: dict[bytes, str] = {}

    async def asking(self, query: VerifiedQuery) -> Asking:
        """What this question counts towards before it is matched; raises StorageError. Reads nothing but once a day."""
        now = self._clock.now()
        day = int(now) // _SECONDS_PER_DAY
        if day != self._day:
            secret = await self._keys.write(day_secret(self._federation, day))
            if day != self._day:  # nobody else was faster
                self._day, self._secret, self._spent = day, secret, {}
        question, secret, most = query.query, self._secret, self._limits
        asked = asked_of(question.subject, today=datetime.fromtimestamp(now, UTC).date())
        variant = _keyed(secret, _VARIANT_BYTES, repr(asked))
        issuer = question.issuer
        return Asking(
            day=self._day,
            secret=secret,
            issuer=issuer,
            counts=(
                Count(
                    kind=MEMBER,
                    name=_keyed(secret, _NAME_BYTES, MEMBER, issuer),
                    most_questions=most.per_member,
                ),
                Count(
                    kind=PRACTITIONER,
                    name=_keyed(secret, _NAME_BYTES, PRACTITIONER, issuer, question.practitioner.id),
                    most_questions=most.per_practitioner,
                ),
                self._of_person(TYPED, _keyed(secret, _NAME_BYTES, TYPED, issuer, *_typed_person(asked)), variant),
            ),
            variant=variant,
        )

    def spend(self, asking: Asking, person_id: int | None = None) -> Spend:
        """What goes on record with the answer; `withheld` if a budget is known to be used up.

        Once a member's or a practitioner's is, nothing is counted behind it: the rows of a day stay bounded.
        """
        counts = asking.counts
        if person_id is not None:
            name = _keyed(asking.secret, _NAME_BYTES, PERSON, asking.issuer, str(person_id))
            counts = (*counts, self._of_person(PERSON, name, asking.variant))
        for place, count in enumerate(counts):
            if count.name in self._spent:
                return Spend(day=asking.day, counts=counts[: place + 1], withheld=True)
        return Spend(day=asking.day, counts=counts)

    def remember(self, refused: BudgetSpent, query: VerifiedQuery) -> None:
        """Take note of what is used up, and alert somebody: with ids alone, and once a day."""
        for count in refused.counts:
            if count.name not in self._spent:
                self._spent[count.name] = count.kind
                emit(
                    "budget.spent",
                    level=logging.WARNING,
                    jti=query.query.jti,
                    member=query.sender.id,
                    kind=count.kind,
                )

    def _of_person(self, kind: str, name: bytes, variant: bytes) -> Count:
        return Count(
            kind=kind,
            name=name,
            variant=variant,
            most_questions=self._limits.per_person,
            most_variants=self._limits.variants_per_person,
        )


def _typed_person(asked: Asked) -> tuple[str, ...]:
    """Who is meant, as coarsely as guesses vary: the sound of the first name, and the birth year or what there is."""
    given, family = asked.names[0] if asked.names else ((), ())
    if asked.birth is not None:
        told = str(asked.birth.year)
    elif asked.age is not None:
        told = f"aged {asked.age}"
    else:
        told = asked.postcode or ""
    sounds = (*(skeleton(token) for token in given[:1]), "|", *(skeleton(token) for token in family))
    return (*sounds, told) if asked.names else ("number", asked.nhs_number or "", told)


def _keyed(secret: bytes, size: int, *texts: str) -> bytes:
    """A keyed hash of texts, whatever they contain."""
    digest = blake2b(key=secret, digest_size=size, person=_LABEL)
    for text in texts:
        part = text.encode()
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()
