"""What each level of each field says, in bits: log2 of how much likelier it is between two records of one person than
between two of strangers (Fellegi and Sunter 1969).

The numbers stand in weights.json with where they come from; tests/matching_kit/train.py learns them. Levels under
`by_frequency` hold log2 of the first likelihood only; the second is the frequency in the agency's own register.
"""

from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from math import log2
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from gateway.matching.compare import BirthLevel, MiddleLevel, NameLevel, NumberLevel, PlaceLevel
from gateway.matching.frequency import AVERAGE_SECTOR, BIRTH_YEARS, Frequencies
from gateway.matching.pair import Pair, Rarity

L = TypeVar("L", bound=StrEnum)

# Not learnt: generated people have no NHS numbers. An equal one is another person's as rarely as it is mistyped into a
# valid one; a different one stands in some records by mistake.
NUMBER_BITS: Final = {
    NumberLevel.EXACT: 20.0,
    NumberLevel.MISSING: 0.0,
    NumberLevel.INVALID: 0.0,
    NumberLevel.OTHER: -12.0,
}
MAX_MIDDLE_BITS: Final = 6.0  # a second name is often a grandparent's: relatives share it
MIN_YEAR_BITS, MAX_YEAR_BITS = -4.0, 0.5  # what an agency of few birth years takes from a date, and one of many adds

_AGREEING_BY_YEAR = frozenset(
    (
        BirthLevel.EXACT,
        BirthLevel.SWAPPED,
        BirthLevel.EDIT,
        BirthLevel.NEAR,
        BirthLevel.FIRST_OF_JANUARY,
        BirthLevel.MONTH,
        BirthLevel.YEAR,
        BirthLevel.AGE,
        BirthLevel.AGE_OFF,
    )
)


class FieldWeights(NamedTuple):
    """The levels of one field: those with fixed bits, and log2 m of those that count by frequency."""

    bits: Mapping[Any, float]
    by_frequency: Mapping[Any, float]


class Bits(NamedTuple):
    """What one comparison says, field by field."""

    given: float
    family: float
    middle: float
    birth: float
    postcode: float
    number: float

    @property
    def total(self) -> float:
        """The weight of the whole comparison."""
        return sum(self)


def _read(level: type[L], stored: Mapping[str, Mapping[str, float]]) -> FieldWeights:
    fixed = {level(word): bits for word, bits in stored["bits"].items()}
    by_frequency = {level(word): bits for word, bits in stored.get("by_frequency", {}).items()}
    return FieldWeights(fixed, by_frequency)


_STORED = orjson.loads((files("gateway.matching") / "weights.json").read_bytes())
GIVEN = _read(NameLevel, _STORED["given"])
FAMILY = _read(NameLevel, _STORED["family"])
MIDDLE = _read(MiddleLevel, _STORED["middle"])
BIRTH = _read(BirthLevel, _STORED["birth"])
POSTCODE = _read(PlaceLevel, _STORED["postcode"])
EXCHANGED_BITS: Final[float] = _STORED["exchanged"]


def weigh(pair: Pair, frequencies: Frequencies) -> Bits:
    """The weight of one comparison in an agency with these frequencies."""
    levels, rarity, choices = pair
    given = _given(levels.given, rarity.given, frequencies)
    birth = BIRTH.bits[levels.birth] + _year(levels.birth, rarity.year, frequencies)
    return Bits(
        given=_of_several(given, choices.given) + (EXCHANGED_BITS if levels.exchanged else 0.0),
        family=_of_several(_family(levels.family, rarity.family, frequencies), choices.family),
        middle=_middle(levels.middle, rarity.middle, frequencies),
        birth=_of_several(birth, choices.births),
        postcode=_of_several(_postcode(levels.place, rarity, frequencies), choices.postcodes),
        number=_of_several(NUMBER_BITS[levels.number], choices.numbers),
    )


def _of_several(bits: float, values: int) -> float:
    """What the best of several values on record says: that one of them agrees is as many times likelier by chance."""
    return max(bits - log2(values), 0.0) if values > 1 and bits > 0 else bits


def _given(level: NameLevel, classes: tuple[int, ...], frequencies: Frequencies) -> float:
    if level not in GIVEN.by_frequency:
        return GIVEN.bits[level]
    if level is NameLevel.SECOND:
        return max(GIVEN.by_frequency[level] - log2(frequencies.any_given(classes[0])), 0.0) if classes else 0.0
    return GIVEN.by_frequency[level] - log2(frequencies.given(classes))


def _family(level: NameLevel, classes: tuple[int, ...], frequencies: Frequencies) -> float:
    if level not in FAMILY.by_frequency:
        return FAMILY.bits[level]
    return FAMILY.by_frequency[level] - log2(frequencies.family(classes))


def _middle(level: MiddleLevel, classes: tuple[int, ...], frequencies: Frequencies) -> float:
    if level not in MIDDLE.by_frequency:
        return MIDDLE.bits[level]
    return min(MIDDLE.by_frequency[level] - log2(frequencies.any_given(classes[0])), MAX_MIDDLE_BITS)


def _postcode(level: PlaceLevel, rarity: Rarity, frequencies: Frequencies) -> float:
    of = rarity.postcode
    if level is PlaceLevel.EDIT:  # where all live in one neighbourhood, like postcodes are many people's
        return POSTCODE.bits[level] - max(log2(frequencies.sector(rarity.sectors) / AVERAGE_SECTOR), 0.0)
    if of is None or level not in POSTCODE.by_frequency:
        return POSTCODE.bits[level]
    return POSTCODE.by_frequency[level] - log2(frequencies.postcode(of))


def _year(level: BirthLevel, of: int | None, frequencies: Frequencies) -> float:
    """In a register of children a birth date says less: they share few years."""
    if of is None or level not in _AGREEING_BY_YEAR:
        return 0.0
    return min(max(-log2(frequencies.year(of) * BIRTH_YEARS), MIN_YEAR_BITS), MAX_YEAR_BITS)
