"""The scale on which partners who follow the MAIS draft grade a match, beside ours. It decides nothing here. Pure.

| score | what agrees |
| --- | --- |
| .99 | an identifier |
| .8 | name, birth date and address |
| .7 | name, birth date and postcode |
| .6 | name and birth date |

A node knows the postcode of an address alone, so .8 is never reached. How the draft scores a birth date or postcode
that agrees in part is not public; reported is the share of its parts that agree, and named so.
"""

from typing import Final, NamedTuple

from gateway.matching.compare import GOOD_FAMILY, GOOD_GIVEN, BirthLevel, NumberLevel, PlaceLevel
from gateway.matching.pair import Levels

BY_IDENTIFIER, BY_NAME_BIRTH_AND_POSTCODE, BY_NAME_AND_BIRTH = 0.99, 0.7, 0.6

_WHOLE_DATES: Final = frozenset((BirthLevel.EXACT, BirthLevel.FIRST_OF_JANUARY))
# Of day, month and year.
_BIRTH_PARTS: Final = {
    BirthLevel.EXACT: 3,
    BirthLevel.FIRST_OF_JANUARY: 3,
    BirthLevel.EDIT: 2,
    BirthLevel.NEAR: 2,
    BirthLevel.TWO_PARTS: 2,
    BirthLevel.MONTH: 2,
    BirthLevel.SWAPPED: 1,
    BirthLevel.YEAR: 1,
    BirthLevel.YEAR_ONLY: 1,
}
# Of outward code and inward code.
_POSTCODE_PARTS: Final = {PlaceLevel.EXACT: 2, PlaceLevel.EDIT: 1, PlaceLevel.SECTOR: 1, PlaceLevel.OUTWARD: 1}


class MaisScore(NamedTuple):
    """The grading, and the share of the parts of birth date and postcode that agree; each from 0 to 1."""

    grading: float
    birth_parts: float
    postcode_parts: float


def mais_score(levels: Levels) -> MaisScore:
    """How the MAIS draft would grade a comparison."""
    return MaisScore(
        grading=_grading(levels),
        birth_parts=round(_BIRTH_PARTS.get(levels.birth, 0) / 3, 2),
        postcode_parts=_POSTCODE_PARTS.get(levels.place, 0) / 2,
    )


def _grading(levels: Levels) -> float:
    if levels.number is NumberLevel.EXACT:
        return BY_IDENTIFIER
    if levels.given not in GOOD_GIVEN or levels.family not in GOOD_FAMILY or levels.birth not in _WHOLE_DATES:
        return 0.0
    return BY_NAME_BIRTH_AND_POSTCODE if levels.place is PlaceLevel.EXACT else BY_NAME_AND_BIRTH
