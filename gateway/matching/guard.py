"""Rules over how the fields compare, which no weight can outvote, and the FHIR grade (docs/matching.md). Pure.

The guard keeps any number of weak agreements from adding up to a disclosure: of names and birth both must agree, in one
of the ways below.
"""

from typing import Final

from gateway.matching.compare import (
    GOOD_FAMILY,
    GOOD_GIVEN,
    BirthLevel,
    MiddleLevel,
    NameLevel,
    NumberLevel,
    PlaceLevel,
)
from gateway.matching.pair import Levels
from mappings.vocabulary import MatchGrade

CERTAIN_AT, PROBABLE_AT, POSSIBLE_AT = 0.999, 0.95, 0.05

GOOD_BIRTH: Final = frozenset((BirthLevel.EXACT, BirthLevel.SWAPPED, BirthLevel.EDIT))
# Births that agree in part, or say nothing: enough beside the same address only.
WEAK_BIRTH: Final = frozenset(
    (
        BirthLevel.NEAR,
        BirthLevel.TWO_PARTS,
        BirthLevel.FIRST_OF_JANUARY,
        BirthLevel.MONTH,
        BirthLevel.YEAR,
        BirthLevel.AGE,
        BirthLevel.AGE_OFF,
        BirthLevel.MISSING,
    )
)
AGREEING_BIRTH: Final = GOOD_BIRTH | WEAK_BIRTH - {BirthLevel.MISSING, BirthLevel.TWO_PARTS}
CONTRADICTING_BIRTH: Final = frozenset((BirthLevel.OTHER, BirthLevel.YEAR_ONLY, BirthLevel.YEAR_OFF))
SAME_GIVEN: Final = frozenset((NameLevel.EXACT, NameLevel.NICKNAME))
OTHER_MIDDLE: Final = frozenset((MiddleLevel.OTHER, MiddleLevel.REORDERED))  # as a relative's may be
SAME_ADDRESS: Final = frozenset((PlaceLevel.EXACT, PlaceLevel.EDIT))


def is_guarded(levels: Levels) -> bool:
    """Whether what agrees may be enough for a disclosure at all, whatever it weighs."""
    if levels.number is NumberLevel.OTHER or levels.birth in CONTRADICTING_BIRTH:
        return False
    if levels.number is NumberLevel.EXACT:
        return _is_guarded_by_number(levels)
    given_is_like = levels.given in GOOD_GIVEN or levels.given is NameLevel.NEAR
    if given_is_like and (levels.family in GOOD_FAMILY or levels.family is NameLevel.NEAR):
        return levels.birth in GOOD_BIRTH or _is_guarded_by_address(levels)
    if levels.given in GOOD_GIVEN:  # the family name changed, or was not asked
        one_slip = levels.place is PlaceLevel.EDIT and levels.given in SAME_GIVEN
        return levels.birth is BirthLevel.EXACT and (levels.place is PlaceLevel.EXACT or one_slip)
    return levels.family in GOOD_FAMILY and _is_guarded_by_family(levels)


def _is_guarded_by_address(levels: Levels) -> bool:
    """A brother lives there too: the less is known of the birth, the less may be amiss with the rest."""
    if levels.middle in OTHER_MIDDLE or levels.birth not in WEAK_BIRTH:
        return False
    if levels.birth is BirthLevel.MISSING:
        return levels.place is PlaceLevel.EXACT and levels.given in SAME_GIVEN
    return levels.place in SAME_ADDRESS


def _is_guarded_by_number(levels: Levels) -> bool:
    """One slip in a number may make another person's: names or a birth date must agree too."""
    good_given, good_family = levels.given in GOOD_GIVEN, levels.family in GOOD_FAMILY
    if levels.birth in GOOD_BIRTH and levels.given is levels.family is NameLevel.MISSING:
        return True  # no name was asked, or those on record are protected
    if levels.birth in AGREEING_BIRTH:
        return good_given or good_family
    return good_given and good_family


def _is_guarded_by_family(levels: Levels) -> bool:
    """Of the given name there is an initial, a second name, or nothing."""
    if levels.given not in (NameLevel.INITIAL, NameLevel.SECOND, NameLevel.MISSING):
        return False
    if levels.birth in (BirthLevel.EXACT, BirthLevel.SWAPPED) and levels.place in SAME_ADDRESS:
        return True
    whole_name = levels.family is NameLevel.EXACT and levels.given is not NameLevel.MISSING
    return whole_name and levels.birth is BirthLevel.EXACT


def grade_of(levels: Levels, probability: float, *, guarded: bool) -> MatchGrade:
    """The FHIR grade of the best person."""
    contradicted = levels.place is PlaceLevel.OTHER or levels.middle in OTHER_MIDDLE
    surely = levels.birth in GOOD_BIRTH and levels.given in SAME_GIVEN and not contradicted
    surely = surely or (levels.birth in GOOD_BIRTH and levels.number is NumberLevel.EXACT)
    if guarded and probability >= CERTAIN_AT and surely:
        return MatchGrade.CERTAIN
    if guarded and probability >= PROBABLE_AT:
        return MatchGrade.PROBABLE
    return MatchGrade.POSSIBLE if probability >= POSSIBLE_AT else MatchGrade.CERTAINLY_NOT


def is_unmistakable(levels: Levels) -> bool:
    """Whether no rival could fit as well unless everything about them were the same."""
    return (
        levels.birth is BirthLevel.EXACT
        and levels.place is PlaceLevel.EXACT
        and levels.given in (NameLevel.EXACT, NameLevel.NICKNAME)
        and levels.family in GOOD_FAMILY
    ) or levels.number is NumberLevel.EXACT
