"""How two values of one field compare: levels, best first in each enumeration. Pure; no weights, no decisions."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from gateway.matching.normalise import BirthDate, age_on, is_outward, sounds
from gateway.matching.roots import roots

CLOSE, NEAR, NEAR_PART = 0.92, 0.85, 0.93  # Jaro-Winkler similarity
SOUND_FLOOR = 0.6  # below it, two tokens of one sound are still different names
SHORT = 3  # letters; shorter parts are alike by chance
PARTICLES = frozenset(("o", "de", "da", "di", "du", "van", "von", "der", "den", "al", "el", "la", "le", "mc", "mac"))
GIVEN_ASKED, GIVEN_STORED = 2, 3  # how many given names are compared: the rest are middle names
SLIP_DAYS = 3
GENERATION = 10  # a year this far off is not a slip of the pen: same day, other person


class NameLevel(StrEnum):
    """How two given or two family names compare."""

    EXACT = "exact"
    NICKNAME = "nickname"
    PART = "part"  # a half of a double-barrelled family name
    SOUND = "sounds alike"
    CLOSE = "one slip"
    NEAR = "similar"
    INITIAL = "initial"
    SECOND = "another given name"
    MISSING = "not known"
    OTHER = "different"


class MiddleLevel(StrEnum):
    """How two second given names compare; asked only when the first ones agree."""

    EXACT = "exact"
    ALIKE = "similar"
    INITIAL = "initial"
    MISSING = "not known"
    REORDERED = "in another order"
    OTHER = "different"


class BirthLevel(StrEnum):
    """How a birth date, a part of one or an age compares."""

    EXACT = "exact"
    SWAPPED = "day and month exchanged"
    EDIT = "one slip"
    NEAR = "a few days apart"
    FIRST_OF_JANUARY = "1 January, often written for unknown"
    MONTH = "same year and month"
    YEAR = "same year"
    AGE = "age agrees"
    AGE_OFF = "age one off"
    MISSING = "not known"
    TWO_PARTS = "two of day, month and year"
    YEAR_ONLY = "only the year agrees"
    YEAR_OFF = "year one off"
    OTHER = "different"


class PlaceLevel(StrEnum):
    """How two postcodes compare."""

    EXACT = "exact"
    EDIT = "one slip"
    SECTOR = "same sector"
    OUTWARD = "same district"
    MISSING = "not known"
    OTHER = "different"


class NumberLevel(StrEnum):
    """How two NHS numbers compare; INVALID fails its check digit and counts for nothing."""

    EXACT = "exact"
    MISSING = "not known"
    INVALID = "fails its check digit"
    OTHER = "different"


GOOD_GIVEN = frozenset((NameLevel.EXACT, NameLevel.NICKNAME, NameLevel.SOUND, NameLevel.CLOSE))
GOOD_FAMILY = frozenset((NameLevel.EXACT, NameLevel.PART, NameLevel.SOUND, NameLevel.CLOSE))
_NAME_ORDER = {level: place for place, level in enumerate(NameLevel)}
_BIRTH_ORDER = {level: place for place, level in enumerate(BirthLevel)}
_PLACE_ORDER = {level: place for place, level in enumerate(PlaceLevel)}


def compare_given(asked: tuple[str, ...], stored: tuple[str, ...]) -> NameLevel:
    """Compare given names; only a middle name agreeing is SECOND, all in another order are EXACT."""
    level = compare_first_given(asked, stored)
    if level in GOOD_GIVEN or level is NameLevel.MISSING or (len(asked) == 1 and len(stored) == 1):
        return level
    if shared_given(asked, stored) is not None:
        return min(level, NameLevel.SECOND, key=_NAME_ORDER.__getitem__)
    return level


def shared_given(asked: tuple[str, ...], stored: tuple[str, ...]) -> str | None:
    """The stored given name that one asked for is, well spelt or as a nickname, wherever the two stand."""
    for place, token in enumerate(asked[:GIVEN_ASKED]):
        if len(token) > 1:
            of_asked = roots(token)
            for name in stored[: 1 if place else GIVEN_STORED]:
                if name in of_asked:
                    return name
    return None


def compare_middle(asked: tuple[str, ...], stored: tuple[str, ...]) -> MiddleLevel:
    """Compare the second given names, for people whose first ones agree."""
    if len(asked) < 2 or len(stored) < 2:  # noqa: PLR2004 - a second name
        return MiddleLevel.MISSING
    if asked[0] != stored[0] and asked[0] in stored[1:] and stored[0] in asked[1:]:
        return MiddleLevel.REORDERED  # brothers are called Muhammad Yusuf and Yusuf Muhammad
    level = _token_level(asked[1], stored[1])
    if level in (NameLevel.EXACT, NameLevel.NICKNAME) or (len(asked[1]) > 1 and asked[1] in stored):
        return MiddleLevel.EXACT
    if level is NameLevel.INITIAL:
        return MiddleLevel.INITIAL
    dropped = abs(len(asked[1]) - len(stored[1])) == 1 and DamerauLevenshtein.distance(asked[1], stored[1]) == 1
    return MiddleLevel.OTHER if level is NameLevel.OTHER and not dropped else MiddleLevel.ALIKE


def compare_first_given(asked: tuple[str, ...], stored: tuple[str, ...]) -> NameLevel:
    """Compare the first given names, or all of them if they agree in another order or written as one."""
    if not asked or not stored:
        return NameLevel.MISSING
    level = _token_level(asked[0], stored[0])
    if level is NameLevel.EXACT or (len(asked) == 1 and len(stored) == 1):
        return level
    if _same_otherwise(asked, stored):
        return NameLevel.EXACT
    return level


def _same_otherwise(asked: tuple[str, ...], stored: tuple[str, ...]) -> bool:
    """Whether two names have the same parts in another order, or divided differently (Xiao Ming, Xiaoming)."""
    if len(asked) == len(stored):
        return len(asked) > 1 and sorted(asked) == sorted(stored)
    return asked[0][0] == stored[0][0] and "".join(asked) == "".join(stored)


def _token_level(asked: str, stored: str) -> NameLevel:
    if asked == stored and len(asked) > 1:
        return NameLevel.EXACT
    if len(asked) == 1 or len(stored) == 1:
        return NameLevel.INITIAL if asked[0] == stored[0] else NameLevel.OTHER
    if not roots(asked).isdisjoint(roots(stored)):
        return NameLevel.NICKNAME
    return _likeness(asked, stored)


def _likeness(asked: str, stored: str) -> NameLevel:
    likeness = JaroWinkler.similarity(asked, stored)
    if likeness >= CLOSE:
        return NameLevel.CLOSE
    if likeness > SOUND_FLOOR and not sounds(asked).isdisjoint(sounds(stored)):
        return NameLevel.SOUND
    return NameLevel.NEAR if likeness >= NEAR else NameLevel.OTHER


def compare_family(asked: tuple[str, ...], stored: tuple[str, ...]) -> NameLevel:
    """Compare family names; the parts of a double-barrelled one may stand in any order, or one may be missing."""
    if not asked or not stored:
        return NameLevel.MISSING
    if asked == stored:
        return NameLevel.EXACT
    if len(asked) == len(stored) == 1:
        return _likeness(asked[0], stored[0])
    return _several_parts(asked, stored)


def _several_parts(asked: tuple[str, ...], stored: tuple[str, ...]) -> NameLevel:
    if _same_otherwise(asked, stored):
        return NameLevel.EXACT
    shared = shared_parts(asked, stored)
    if shared and _few_beside(asked, shared):
        return NameLevel.PART
    level = _likeness("".join(asked), "".join(stored))
    if level is NameLevel.OTHER:
        alike = [a for a in asked if len(a) > SHORT and any(JaroWinkler.similarity(a, s) >= NEAR_PART for s in stored)]
        if alike and _few_beside(asked, alike):
            return NameLevel.NEAR
    return level


def shared_parts(asked: tuple[str, ...], stored: tuple[str, ...]) -> list[str]:
    """The parts of two family names that are the same, but for particles such as `de` and `van`."""
    return [token for token in asked if token in stored and token not in PARTICLES and len(token) > 1]


def _few_beside(asked: tuple[str, ...], matched: list[str]) -> bool:
    """Whether the parts that match are not just some of many: a list of names to be tried is no name."""
    return len([token for token in asked if token not in PARTICLES]) <= 2 * len(matched)


def compare_births(
    asked: BirthDate | None, age: int | None, stored: Iterable[BirthDate], today: date
) -> tuple[BirthLevel, BirthDate | None]:
    """Compare a full or partial birth date, or else an age in years, with all that are stored.

    Returns the best level, and the stored date that has it; None where nothing was compared.
    """
    best = BirthLevel.OTHER
    best_date: BirthDate | None = None
    for born in stored:
        if asked is not None:
            level = _dates(asked, born)
        elif age is not None:
            level = _age(age, born, today)
        else:
            break
        if level is BirthLevel.EXACT:
            return level, born
        if best_date is None or _BIRTH_ORDER[level] < _BIRTH_ORDER[best]:
            best, best_date = level, born
    return (best, best_date) if best_date is not None else (BirthLevel.MISSING, None)


def _dates(asked: BirthDate, stored: BirthDate) -> BirthLevel:
    if not (asked[2] and stored[2]):
        return _partial_dates(asked, stored)
    first_of_january = asked[1:] == (1, 1) or stored[1:] == (1, 1)
    if asked == stored:
        return BirthLevel.FIRST_OF_JANUARY if first_of_january else BirthLevel.EXACT
    if first_of_january:  # nearly that is no slip of the pen, as the day may just be unknown
        return max(_parts_of_dates(asked, stored), BirthLevel.TWO_PARTS, key=_BIRTH_ORDER.__getitem__)
    return _slip(asked, stored) or _parts_of_dates(asked, stored)


def _slip(asked: BirthDate, stored: BirthDate) -> BirthLevel | None:
    if asked[0] == stored[0] and asked[1] == stored[2] and asked[2] == stored[1]:
        return BirthLevel.SWAPPED
    if DamerauLevenshtein.distance(_digits(asked), _digits(stored), score_cutoff=1) == 1:
        return BirthLevel.EDIT
    return None


def _parts_of_dates(asked: BirthDate, stored: BirthDate) -> BirthLevel:
    same_month, same_day = asked[1] == stored[1], asked[2] == stored[2]
    if asked[0] == stored[0]:
        if same_month and abs(asked[2] - stored[2]) <= SLIP_DAYS:
            return BirthLevel.NEAR
        return BirthLevel.TWO_PARTS if same_month or same_day else BirthLevel.YEAR_ONLY
    if same_month and same_day and abs(asked[0] - stored[0]) <= GENERATION:
        return BirthLevel.TWO_PARTS
    return BirthLevel.OTHER


def _digits(born: BirthDate) -> str:
    return f"{born[0]}-{born[1]:02}-{born[2]:02}"


def _partial_dates(asked: BirthDate, stored: BirthDate) -> BirthLevel:
    if asked[0] != stored[0]:
        return BirthLevel.YEAR_OFF if abs(asked[0] - stored[0]) == 1 else BirthLevel.OTHER
    if not (asked[1] and stored[1]):
        return BirthLevel.YEAR
    return BirthLevel.MONTH if asked[1] == stored[1] else BirthLevel.YEAR_ONLY


def _age(age: int, stored: BirthDate, today: date) -> BirthLevel:
    if stored.full:
        off = abs(age_on(stored, today) - age)
    else:
        turning = today.year - stored.year  # this year; the birthday may still be ahead
        off = min(abs(turning - age), abs(turning - 1 - age))
    return BirthLevel.AGE if off == 0 else BirthLevel.AGE_OFF if off == 1 else BirthLevel.OTHER


def compare_postcodes(asked: str | None, stored: Iterable[str]) -> PlaceLevel:
    """Compare a postcode, or only its district, with all that are stored: the best level."""
    if asked is None:
        return PlaceLevel.MISSING
    best: PlaceLevel | None = None
    for postcode in stored:
        if asked == postcode:
            return PlaceLevel.OUTWARD if is_outward(asked) else PlaceLevel.EXACT
        level = _postcodes(asked, postcode)
        best = level if best is None else min(best, level, key=_PLACE_ORDER.__getitem__)
    return best or PlaceLevel.MISSING


def _postcodes(asked: str, stored: str) -> PlaceLevel:
    district, _, inward = asked.partition(" ")
    other, _, other_inward = stored.partition(" ")
    if inward and other_inward:
        if district == other and inward[0] == other_inward[0]:
            one_letter = sum(a != b for a, b in zip(inward, other_inward, strict=True)) == 1
            return PlaceLevel.EDIT if one_letter or inward[::-1] == other_inward else PlaceLevel.SECTOR
        if DamerauLevenshtein.distance(asked, stored, score_cutoff=1) == 1:
            return PlaceLevel.EDIT
        return PlaceLevel.OUTWARD if district == other else PlaceLevel.OTHER
    if inward or other_inward:
        return PlaceLevel.OUTWARD if district == other else PlaceLevel.OTHER
    same_kind = not is_outward(asked) and not is_outward(stored)
    one_slip = same_kind and DamerauLevenshtein.distance(asked, stored, score_cutoff=1) == 1
    return PlaceLevel.EDIT if one_slip else PlaceLevel.OTHER


def compare_numbers(asked: str | None, stored: tuple[str, ...]) -> NumberLevel:
    """Compare an NHS number, already checked, with all that are stored."""
    if asked is None or not stored:
        return NumberLevel.MISSING
    return NumberLevel.EXACT if asked in stored else NumberLevel.OTHER
