"""Who fits a question best, how surely, and whether that may be disclosed (docs/matching.md). Pure.

Each field's level has a weight in bits; their sum only ranks people. The *grade* comes from rules over the levels, so
that no number of weak agreements adds up to a disclosure, and two people whom the question does not tell apart yield
nothing. Weights are the fixed ones of a Fellegi-Sunter model without term frequencies.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from gateway.matching.compare import (
    GOOD_FAMILY,
    GOOD_GIVEN,
    BirthLevel,
    NameLevel,
    NumberLevel,
    PlaceLevel,
    compare_births,
    compare_family,
    compare_first_given,
    compare_given,
    compare_numbers,
    compare_postcodes,
)
from gateway.matching.record import Asked, Card, NameTokens, StoredCard
from mappings.vocabulary import MatchGrade

# fmt: off
GIVEN_BITS: dict[NameLevel, float] = {
    NameLevel.EXACT: 7.0, NameLevel.NICKNAME: 5.5, NameLevel.SOUND: 5.5, NameLevel.CLOSE: 5.0, NameLevel.NEAR: 2.9,
    NameLevel.INITIAL: 3.3, NameLevel.SECOND: 1.0, NameLevel.MISSING: 0.0, NameLevel.OTHER: -5.4,
}
FAMILY_BITS: dict[NameLevel, float] = {
    NameLevel.EXACT: 8.5, NameLevel.PART: 5.0, NameLevel.SOUND: 6.0, NameLevel.CLOSE: 6.0, NameLevel.NEAR: 3.1,
    NameLevel.MISSING: 0.0, NameLevel.OTHER: -4.8,
}
BIRTH_BITS: dict[BirthLevel, float] = {
    BirthLevel.EXACT: 15.7, BirthLevel.SWAPPED: 9.4, BirthLevel.EDIT: 6.7, BirthLevel.NEAR: 7.0,
    BirthLevel.FIRST_OF_JANUARY: 8.0, BirthLevel.MONTH: 9.0, BirthLevel.YEAR: 6.4, BirthLevel.AGE: 6.1,
    BirthLevel.AGE_OFF: 2.9, BirthLevel.MISSING: 0.0, BirthLevel.TWO_PARTS: 0.1, BirthLevel.YEAR_ONLY: -1.9,
    BirthLevel.YEAR_OFF: -4.1, BirthLevel.OTHER: -11.2,
}
PLACE_BITS: dict[PlaceLevel, float] = {
    PlaceLevel.EXACT: 10.9, PlaceLevel.EDIT: 5.6, PlaceLevel.SECTOR: 0.2, PlaceLevel.OUTWARD: 0.2,
    PlaceLevel.MISSING: 0.0, PlaceLevel.OTHER: -2.3,
}
NUMBER_BITS: dict[NumberLevel, float] = {
    NumberLevel.EXACT: 20.0, NumberLevel.MISSING: 0.0, NumberLevel.INVALID: 0.0, NumberLevel.OTHER: -12.0,
}
# fmt: on
EXACT_BITS = GIVEN_BITS[NameLevel.EXACT] + FAMILY_BITS[NameLevel.EXACT]  # no pair of names agrees better
EXCHANGED_BITS = -2.0  # given and family name typed in each other's place
MARGIN_BITS = 6.0  # a person of a lower grade this far behind is told apart from the best
CLEAR_BITS = 9.0  # and one who would do alone, only by about a whole postcode

GOOD_BIRTH = frozenset((BirthLevel.EXACT, BirthLevel.SWAPPED, BirthLevel.EDIT, BirthLevel.NEAR))
PARTLY_KNOWN_BIRTH = frozenset((BirthLevel.FIRST_OF_JANUARY, BirthLevel.MONTH, BirthLevel.YEAR, BirthLevel.AGE))
AGREEING_BIRTH = GOOD_BIRTH | PARTLY_KNOWN_BIRTH
CONTRADICTING_BIRTH = frozenset((BirthLevel.OTHER, BirthLevel.YEAR_ONLY, BirthLevel.YEAR_OFF))
DIFFERENT = frozenset((NameLevel.OTHER, NameLevel.SECOND, NameLevel.MISSING))
WELL_SPELT = frozenset((NameLevel.EXACT, NameLevel.NICKNAME, NameLevel.PART))
NAMESAKES_BY_DOUBTS = (24, 6, 0)  # see namesakes_allowed; doubts are another address and a slip in a name
SAME_ADDRESS = frozenset((PlaceLevel.EXACT, PlaceLevel.EDIT))


@dataclass(frozen=True, slots=True)
class FieldResult:
    """How one field compared: `field` is given, family, birth, postcode or nhs-number; `weight` is in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Levels:
    """How one person compares with the question, field by field."""

    given: NameLevel
    family: NameLevel
    exchanged: bool
    birth: BirthLevel
    place: PlaceLevel
    number: NumberLevel

    @property
    def bits(self) -> float:
        """The sum of the weights: ranks people, decides nothing alone."""
        return (
            GIVEN_BITS[self.given]
            + FAMILY_BITS[self.family]
            + (EXCHANGED_BITS if self.exchanged else 0.0)
            + BIRTH_BITS[self.birth]
            + PLACE_BITS[self.place]
            + NUMBER_BITS[self.number]
        )

    def explanation(self) -> tuple[FieldResult, ...]:
        """Words and weights; nothing that is stored."""
        exchanged = ", exchanged with the other name" if self.exchanged else ""
        return (
            FieldResult("given", self.given + exchanged, GIVEN_BITS[self.given]),
            FieldResult("family", self.family + exchanged, FAMILY_BITS[self.family]),
            FieldResult("birth", self.birth, BIRTH_BITS[self.birth]),
            FieldResult("postcode", self.place, PLACE_BITS[self.place]),
            FieldResult("nhs-number", self.number, NUMBER_BITS[self.number]),
        )


@dataclass(frozen=True, slots=True)
class Scored:
    """One person compared with the question. `score` in bits ranks answers."""

    person_id: int
    grade: MatchGrade
    score: float
    levels: Levels

    @property
    def explanation(self) -> tuple[FieldResult, ...]:
        """What was compared, field by field; nothing that is stored."""
        return self.levels.explanation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The best person, or None, and how many `others` the question does not tell apart from them.

    `disclosable` is the only thing that may lead to a disclosure: exactly one person, at least `probable`, and with
    more than a name and an address.
    """

    best: Scored | None
    others: int
    disclosable: bool

    @property
    def settled(self) -> bool:
        """Whether no person found by weaker keys could change this."""
        best = self.best
        return (
            best is not None and best.levels.birth is BirthLevel.EXACT and best.grade.rank >= MatchGrade.PROBABLE.rank
        )

    def doubtful(self) -> "Match":
        """The same person, but too common a name to be sure."""
        if self.best is None:
            return self
        best = replace(self.best, grade=MatchGrade.POSSIBLE)
        return Match(best=best, others=self.others, disclosable=False)


NOBODY = Match(best=None, others=0, disclosable=False)


def compare(asked: Asked, card: Card | StoredCard, *, today: date) -> Levels | None:
    """Compare one stored person with the question, taking the best of all names, dates and addresses.

    None if nothing but a birth date or an address can agree: both names differ, and there is no common number.
    """
    given, family, exchanged = _names(asked.names, card.names)
    number = compare_numbers(asked.nhs_number, card.nhs_numbers)
    if given in DIFFERENT and family in DIFFERENT and number is not NumberLevel.EXACT:
        return None
    whole = card if isinstance(card, Card) else card.card()
    return Levels(
        given,
        family,
        exchanged,
        compare_births(asked.birth, asked.age, whole.births, today),
        compare_postcodes(asked.postcode, whole.postcodes),
        NumberLevel.INVALID if asked.number_failed else number,
    )


def _names(asked: Iterable[NameTokens], stored: Iterable[NameTokens]) -> tuple[NameLevel, NameLevel, bool]:
    best, best_bits = (NameLevel.MISSING, NameLevel.MISSING, False), -100.0
    for asked_given, asked_family in asked:
        for given, family in stored:
            levels = (compare_given(asked_given, given), compare_family(asked_family, family), False)
            bits = GIVEN_BITS[levels[0]] + FAMILY_BITS[levels[1]]
            if not (levels[0] in GOOD_GIVEN and levels[1] in GOOD_FAMILY):
                levels, bits = _exchanged(asked_given, asked_family, given, family) or (levels, bits)
            if bits > best_bits:
                best, best_bits = levels, bits
                if bits == EXACT_BITS:
                    return best
    return best


def _exchanged(
    asked_given: tuple[str, ...], asked_family: tuple[str, ...], given: tuple[str, ...], family: tuple[str, ...]
) -> tuple[tuple[NameLevel, NameLevel, bool], float] | None:
    """How the names compare if they were typed in each other's place; None unless both then agree well."""
    given_level = compare_first_given(asked_family, given)
    if given_level not in GOOD_GIVEN:
        return None
    family_level = compare_family(asked_given, family)
    if family_level not in GOOD_FAMILY:
        return None
    bits = GIVEN_BITS[given_level] + FAMILY_BITS[family_level] + EXCHANGED_BITS
    return (given_level, family_level, True), bits


def grade_of(levels: Levels) -> MatchGrade:
    """The FHIR grade of one comparison, by rules over its levels."""
    if levels.number is NumberLevel.EXACT:
        return _grade_by_number(levels)
    if _is_probable(levels):
        if levels.number is NumberLevel.OTHER:
            return MatchGrade.POSSIBLE  # all agrees but the number: not surely the same person
        return MatchGrade.CERTAIN if _is_certain(levels) else MatchGrade.PROBABLE
    return MatchGrade.POSSIBLE if _is_possible(levels) else MatchGrade.CERTAINLY_NOT


def _grade_by_number(levels: Levels) -> MatchGrade:
    """The same valid NHS number: one slip in it may be another person's, so a name or birth date must agree too."""
    name_agrees = levels.given in GOOD_GIVEN or levels.family in GOOD_FAMILY
    names_differ = levels.given is NameLevel.OTHER and levels.family is NameLevel.OTHER
    if levels.birth in CONTRADICTING_BIRTH or names_differ:
        return MatchGrade.POSSIBLE
    if levels.birth in GOOD_BIRTH and name_agrees:
        return MatchGrade.CERTAIN
    if levels.birth in AGREEING_BIRTH or (levels.given in GOOD_GIVEN and levels.family in GOOD_FAMILY):
        return MatchGrade.PROBABLE
    return MatchGrade.POSSIBLE


def _is_certain(levels: Levels) -> bool:
    return (
        levels.birth is BirthLevel.EXACT
        and levels.place is PlaceLevel.EXACT
        and levels.given in (NameLevel.EXACT, NameLevel.NICKNAME)
        and levels.family in GOOD_FAMILY
    )


def _is_probable(levels: Levels) -> bool:
    good_given, good_family = levels.given in GOOD_GIVEN, levels.family in GOOD_FAMILY
    if good_given and good_family:
        if levels.birth is BirthLevel.EXACT:
            return True
        if levels.birth in GOOD_BIRTH:
            return levels.place in SAME_ADDRESS
        return levels.birth in PARTLY_KNOWN_BIRTH and levels.place is PlaceLevel.EXACT
    if not (levels.birth is BirthLevel.EXACT and levels.place is PlaceLevel.EXACT):
        return False
    if good_given:  # the family name changed, or was not asked
        return levels.family in (NameLevel.NEAR, NameLevel.OTHER, NameLevel.MISSING)
    return good_family and levels.given in (NameLevel.INITIAL, NameLevel.SECOND)


def _is_possible(levels: Levels) -> bool:
    if levels.birth is BirthLevel.OTHER or levels.number is NumberLevel.OTHER:
        return False
    names = (levels.given in GOOD_GIVEN or levels.given in (NameLevel.NEAR, NameLevel.INITIAL)) + (
        levels.family in GOOD_FAMILY or levels.family is NameLevel.NEAR
    )
    evidence = (levels.birth in AGREEING_BIRTH) + (levels.place in SAME_ADDRESS)
    return names + evidence > 1


def namesakes_allowed(levels: Levels) -> int | None:
    """How many people of this name the register may hold for the name and birth date alone to be enough.

    A stranger of a common name can share the birth date too: of 24 namesakes one in a thousand strangers does, in a
    register of any size. None if an address or number agrees, so that it does not matter.
    """
    if levels.number is NumberLevel.EXACT or levels.place in SAME_ADDRESS:
        return None
    well_spelt = levels.given in WELL_SPELT and levels.family in WELL_SPELT
    doubts = (levels.place is PlaceLevel.OTHER) + (not well_spelt)
    return NAMESAKES_BY_DOUBTS[doubts]


def score(asked: Asked, people: Iterable[tuple[int, Card | StoredCard]], *, today: date) -> list[Scored]:
    """Compare people with the question; those who are certainly not meant are left out."""
    scored = []
    for person_id, card in people:
        levels = compare(asked, card, today=today)
        if levels is not None:
            grade = grade_of(levels)
            if grade is not MatchGrade.CERTAINLY_NOT:
                scored.append(Scored(person_id, grade, levels.bits, levels))
    return scored


def choose(scored: Iterable[Scored], *, complete: bool = True) -> Match:
    """The one person who is meant, if the question tells them apart from everybody else.

    `complete` False: there were more people than could be compared, so that a rival may be among the rest.
    """
    # (1) The best by weight.
    ranked = sorted(scored, key=lambda one: (-one.score, one.person_id))
    if not ranked:
        return NOBODY
    best = ranked[0]
    # (2) Everybody who is about as good.
    others = sum(
        best.score - other.score < (CLEAR_BITS if other.grade.rank >= MatchGrade.PROBABLE.rank else MARGIN_BITS)
        for other in ranked[1:]
    )
    # (3) One person only, at least `probable` (of very many: `certain`), on more than a name and an address.
    needed = MatchGrade.PROBABLE if complete else MatchGrade.CERTAIN
    more_than_a_name = best.levels.birth in AGREEING_BIRTH or best.levels.number is NumberLevel.EXACT
    return Match(
        best=best,
        others=others,
        disclosable=others == 0 and best.grade.rank >= needed.rank and more_than_a_name,
    )
