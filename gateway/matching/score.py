"""Who fits a question best, how surely, and whether that may be disclosed (docs/matching.md). Pure.

(1) The weights of all compared people and of *nobody here* become probabilities.
(2) The guard: rules over the levels, so that no number of weak agreements adds up to a disclosure.
(3) Both together give the FHIR grade; a second person who fits, or a name alone, discloses nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import log2
from typing import Final, NamedTuple

from gateway.matching.compare import GOOD_GIVEN, BirthLevel, NameLevel, NumberLevel, PlaceLevel
from gateway.matching.frequency import Frequencies
from gateway.matching.guard import (
    AGREEING_BIRTH,
    GOOD_BIRTH,
    OTHER_MIDDLE,
    grade_of,
    is_guarded,
    is_unmistakable,
)
from gateway.matching.pair import ONE_OF_EACH, Levels, Pair, compare
from gateway.matching.record import Asked, Card, StoredCard
from gateway.matching.weights import Bits, weigh
from mappings.vocabulary import MatchGrade

MAX_RIVALS: Final = 50  # the best, who share the probability; the rest weigh nothing beside them
MAX_BITS: Final = 80.0  # beyond it every probability is the same
PLAUSIBLE_SHARE: Final = 0.01  # of the best one's probability: who has it is another person that may be meant
SETTLED_BITS: Final = 8.0  # above log2 of the register's size: weaker keys find nobody who changes that

# How likely an unregistered relative of a registered person is asked about under a name that compares so: a child
# of the father's name is rare, another child of the family is not.
RELATIVE_OF_SAME_NAME, RELATIVE_OF_LIKE_NAME, RELATIVE_OF_OTHER_NAME = 0.0002, 0.0095, 0.25
RELATIVE_OF_OTHER_MIDDLE_NAME: Final = 0.0105  # brothers share their first name: Mohammed Ali and Mohammed Umar
RELATIVE_OF_UNKNOWN_BIRTH: Final = 4.0  # times as likely, while nothing tells a father from his son


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When to disclose; an agency's own, in its configuration.

    `prior`: how often those who are asked about are registered here, below 1. `birth_needed`: a name and an exact
    address are not enough without some detail of birth. A register smaller than `area` people is a part of a place of
    that size: most who are asked about are not on it.
    """

    disclose_at: float = 0.99
    birth_needed: bool = False
    prior: float = 0.5
    area: int = 10_000


DEFAULT_THRESHOLDS: Final = Thresholds()


@dataclass(frozen=True, slots=True)
class FieldResult:
    """How one field compared: `field` is given, family, middle, birth, postcode or nhs-number; `weight` is in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scored:
    """One person compared with the question. `score` are log2 odds against everybody else and nobody: ranks answers."""

    person_id: int
    grade: MatchGrade
    score: float
    probability: float
    levels: Levels
    bits: Bits

    @property
    def explanation(self) -> tuple[FieldResult, ...]:
        """What was compared, field by field: words and weights, nothing that is stored."""
        levels, bits = self.levels, self.bits
        exchanged = ", exchanged with the other name" if levels.exchanged else ""
        return (
            FieldResult("given", levels.given + exchanged, bits.given),
            FieldResult("family", levels.family + exchanged, bits.family),
            FieldResult("middle", levels.middle, bits.middle),
            FieldResult("birth", levels.birth, bits.birth),
            FieldResult("postcode", levels.place, bits.postcode),
            FieldResult("nhs-number", levels.number, bits.number),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The best person, or None, and how many `others` may be meant as well.

    `disclosable` is the only thing that may lead to a disclosure: exactly one person, sure enough, and on more than a
    name. `settled`: no person found by weaker keys could change this.
    """

    best: Scored | None
    others: int
    disclosable: bool
    settled: bool = False


NOBODY: Final = Match(best=None, others=0, disclosable=False)


def pairs_of(asked: Asked, people: Iterable[tuple[int, Card | StoredCard]], *, today: date) -> list[tuple[int, Pair]]:
    """Compare people with the question; those whose names both differ are left out."""
    found = []
    for person_id, card in people:
        pair = compare(asked, card, today=today)
        if pair is not None:
            found.append((person_id, pair))
    return found


class Weighed(NamedTuple):
    """One pair that is not unlikely, with what it weighs in bits."""

    total: float
    person_id: int
    levels: Levels
    bits: Bits
    as_rival: float  # what it weighs beside others: a long history makes nobody else surer


def weigh_pairs(pairs: Iterable[tuple[int, Pair]], frequencies: Frequencies) -> list[Weighed]:
    """Those of the pairs that may speak for one person rather than two strangers."""
    found = []
    for person_id, pair in pairs:
        bits = weigh(pair, frequencies)
        total = bits.total
        plain = pair.choices is ONE_OF_EACH
        as_rival = total if plain else weigh(pair._replace(choices=ONE_OF_EACH), frequencies).total
        if as_rival > 0:
            found.append(Weighed(total, person_id, pair.levels, bits, as_rival))
    return found


def choose(
    weighed: Iterable[Weighed],
    frequencies: Frequencies,
    *,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    complete: bool = True,
    names_asked: int = 1,
) -> Match:
    """The one person who is meant, if the question tells them apart from everybody else and from nobody.

    `complete` False: there were more people than could be compared, so that a rival may be among the rest. The more
    names were asked, the likelier one of them is a stranger's by chance: each guess has its share of the prior.
    """
    ranked = sorted(weighed, key=lambda each: (-each.total, each.person_id))[:MAX_RIVALS]
    if not ranked or ranked[0].total <= 0:
        return NOBODY
    # (1)
    prior = thresholds.prior / max(frequencies.people, thresholds.area)  # of each person
    stranger = 1.0 - prior * frequencies.people
    total, person_id, levels, bits, _ = ranked[0]
    rivals = [(each.as_rival, each.levels) for each in ranked[1:]]
    odds = _odds([(total, levels), *rivals], prior / max(names_asked, 1), stranger)
    probability = odds / (1 + odds)
    others = sum(total - each.as_rival < -log2(PLAUSIBLE_SHARE) for each in ranked[1:])
    # (2) (3)
    guarded = is_guarded(levels)
    best = Scored(person_id, grade_of(levels, probability, guarded=guarded), log2(odds), probability, levels, bits)
    disclosable = (
        guarded
        and probability >= thresholds.disclose_at
        and best.grade.rank >= MatchGrade.PROBABLE.rank
        and (complete or is_unmistakable(levels))
        and (not thresholds.birth_needed or levels.birth in AGREEING_BIRTH or levels.number is NumberLevel.EXACT)
    )
    settled = (
        guarded
        and total >= log2(max(frequencies.people, thresholds.area)) + SETTLED_BITS
        and levels.birth is BirthLevel.EXACT
        and levels.given is levels.family is NameLevel.EXACT
        and levels.place is not PlaceLevel.OTHER
        and levels.middle not in OTHER_MIDDLE
    )
    return Match(best=best, others=others, disclosable=disclosable, settled=settled)


def _odds(ranked: Sequence[tuple[float, Levels]], prior: float, stranger: float) -> float:
    """Odds of the first against the others, somebody's unregistered relative, and a stranger."""
    likelihoods = [2.0 ** min(bits, MAX_BITS) * prior for bits, _ in ranked]
    relatives = sum(_relative(levels) * likelihood for likelihood, (_, levels) in zip(likelihoods, ranked, strict=True))
    odds: float = likelihoods[0] / (stranger + relatives + sum(likelihoods[1:]))
    return odds


def _relative(levels: Levels) -> float:
    """How much likelier than chance an unregistered relative of this person compares with the question as they do."""
    if levels.number is NumberLevel.EXACT:
        return 0.0  # no relative has the same number
    if levels.given is NameLevel.OTHER:
        return RELATIVE_OF_OTHER_NAME
    if levels.given not in GOOD_GIVEN:
        return RELATIVE_OF_LIKE_NAME
    if levels.middle in OTHER_MIDDLE:
        return RELATIVE_OF_OTHER_MIDDLE_NAME
    birth_tells = levels.birth in GOOD_BIRTH or levels.birth is BirthLevel.NEAR
    return RELATIVE_OF_SAME_NAME * (1.0 if birth_tells else RELATIVE_OF_UNKNOWN_BIRTH)
