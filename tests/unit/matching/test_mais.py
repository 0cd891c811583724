"""The MAIS draft's scale beside ours."""

import pytest

from gateway.matching.compare import BirthLevel, NameLevel, NumberLevel, PlaceLevel
from gateway.matching.mais import mais_score
from gateway.matching.pair import Levels


@pytest.mark.parametrize(
    ("number", "family", "birth", "place", "score"),
    [
        (NumberLevel.EXACT, NameLevel.OTHER, BirthLevel.MISSING, PlaceLevel.OTHER, (0.99, 0, 0)),
        (NumberLevel.MISSING, NameLevel.EXACT, BirthLevel.EXACT, PlaceLevel.EXACT, (0.7, 1, 1)),
        (NumberLevel.MISSING, NameLevel.EXACT, BirthLevel.EXACT, PlaceLevel.OUTWARD, (0.6, 1, 0.5)),
        (NumberLevel.OTHER, NameLevel.SOUND, BirthLevel.EXACT, PlaceLevel.MISSING, (0.6, 1, 0)),
        (NumberLevel.MISSING, NameLevel.OTHER, BirthLevel.EXACT, PlaceLevel.EXACT, (0, 1, 1)),
        (NumberLevel.MISSING, NameLevel.EXACT, BirthLevel.YEAR, PlaceLevel.EXACT, (0, 0.33, 1)),
        (NumberLevel.MISSING, NameLevel.EXACT, BirthLevel.SWAPPED, PlaceLevel.EXACT, (0, 0.33, 1)),
    ],
)
def test_the_grading_says_what_agrees(
    number: NumberLevel,
    family: NameLevel,
    birth: BirthLevel,
    place: PlaceLevel,
    score: tuple[float, float, float],
) -> None:
    levels = Levels(given=NameLevel.EXACT, family=family, birth=birth, place=place, number=number)
    assert mais_score(levels) == score
