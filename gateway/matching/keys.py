"""Blocking keys: which people are worth comparing with a question, so that nobody reads the whole register.

Every stored person has some ten keys, stable 64-bit hashes of:

| key | of | finds |
| --- | --- | --- |
| N | NHS number | |
| D | full birth date (asked also with day and month exchanged) | whatever the name |
| P | full postcode and the sound of one name, given or family | whatever the birth date |
| a | full postcode (asked also with neighbouring characters exchanged) | whose names are misheard beyond their sound |
| n | the sounds of family and given name, in no order, nicknames resolved | name alone |
| u | as n, of people whose birth date is not fully known | what D cannot |
| i | birth year, sound of the family name, initial of the given name (at last any) | a year or an age |
| m | month and day of birth and the sound of the family name | a wrong year |
| Y | year and month of birth and the sound of the given name (at last others) | a wrong date, a misspelt family name |
| j | sound of the family name, initial of the given name | a misspelt given name, where no day of birth was asked |

Bounded: at most MAX_KEYS of a person, and MAX_ASKED_KEYS or MAX_LAST_KEYS in one tier of a question, whatever is typed.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

from gateway.matching.compare import GIVEN_ASKED, PARTICLES
from gateway.matching.normalise import CACHED_NAMES, CACHED_VALUES, BirthDate, is_outward, skeleton
from gateway.matching.record import Asked, Card
from gateway.matching.roots import MAX_ROOTS, roots

MAX_KEYS = 96
MAX_ASKED_KEYS = 24  # in a tier that reads crowds
MAX_LAST_KEYS = 72  # in a tier that does not
BYTES_PER_KEY = 8
MONTHS = 12
INITIALS = "abcdfghjklmnprstv"  # with which the sounds of given names begin


# Tokens of given and family name, sounds of family and given name.
_AskedName = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def hash_key(text: str) -> int:
    """A stable signed 64-bit hash, the same in every process and version."""
    return int.from_bytes(blake2b(text.encode(), digest_size=BYTES_PER_KEY).digest(), "big", signed=True)


def keys_of(card: Card) -> tuple[int, ...]:
    """The keys under which a stored person is found."""
    texts = ["N" + number for number in card.nhs_numbers]
    texts += [_date_key(born) for born in card.births if born.day]
    texts += [_address_key(postcode) for postcode in card.postcodes if not is_outward(postcode)]
    undated = not any(born.day for born in card.births)
    for given, family in card.names:
        families, givens, roots_of_given = _family_codes(family), _given_codes(given), _root_codes(given)
        texts += _pairs("n", families, roots_of_given)
        if undated:
            texts += _pairs("u", families, roots_of_given)
        texts += _place_keys(card.postcodes, families + givens)
        for born in card.births:
            texts += _year_keys((born.year,), families, _initials(given))
            texts += _part_of_date_keys(born, families, givens)
        texts += _initial_keys(families, _initials(given))
    return tuple(sorted({hash_key(text) for text in list(dict.fromkeys(texts))[:MAX_KEYS]}))


class Tier(NamedTuple):
    """Keys that are looked up together. `crowd`: rivals may be among them, so all who fit must be read."""

    keys: tuple[int, ...]
    crowd: bool
    whole: bool = True  # False: there were more keys than are looked up


def asked_keys(asked: Asked, today: date) -> Iterator[Tier]:
    """The keys to look up, in tiers: a later tier is only made and read when the one before has not settled it."""
    names = [(given, family, _family_codes(family), _given_codes(given)) for given, family in asked.names]
    years = _asked_years(asked, today)
    yield _tier(_strong_keys(asked, names, years), crowd=True)
    yield _tier(_weaker_keys(asked, names, years), crowd=True)
    yield _tier(_address_keys(asked.postcode), crowd=False)
    yield _tier(_weakest_keys(asked, names, years), crowd=False)


def _strong_keys(asked: Asked, names: list[_AskedName], years: tuple[int, ...]) -> list[str]:
    """Number, birth date, address; and by name those whom a birth date cannot find."""
    found = ["N" + asked.nhs_number] if asked.nhs_number else []
    born = asked.birth
    if born and born.day:
        found.append(_date_key(born))
        if born.day <= MONTHS:
            found.append(_date_key(BirthDate(born.year, born.day, born.month)))
    for given, _, families, givens in names:
        if asked.postcode:
            found += _place_keys((asked.postcode,), families + givens)
        found += _pairs("u" if years else "n", families, _root_codes(given))
    if not (born and born.day):
        found += _by_year(years, names)
    return found


def _weaker_keys(asked: Asked, names: list[_AskedName], years: tuple[int, ...]) -> list[str]:
    """What finds people whose birth date was mistyped or misheard."""
    found: list[str] = []
    born = asked.birth
    for given, _, families, givens in names:
        if born and born.day:
            found += _part_of_date_keys(born, families, givens)
        elif years:
            found += _pairs("n", families, _root_codes(given))
    if born and born.day:
        found += _by_year(years, names)
    return found


def _address_keys(postcode: str | None) -> list[str]:
    """By address alone."""
    if postcode is None or is_outward(postcode):
        return []
    return [_address_key(each) for each in (postcode, *_exchanged(postcode))]


def _weakest_keys(asked: Asked, names: list[_AskedName], years: tuple[int, ...]) -> list[str]:
    """By name alone: whole where a birth date was asked, else misspelt, and exchanged too.

    Whose family name was misheard beyond its sound is found by the given name, in any month of the year that was asked
    or, where a date was, in that month of the years that one wrong digit makes; whose given name was, by the family
    name and the year, whatever the initial.
    """
    found: list[str] = []
    born = asked.birth
    for given, family, families, givens in names:
        first = givens[:1]
        if born and born.day:
            found += _pairs("n", families, _root_codes(given))
            found += [_month_key(year, born.month, code) for code in first for year in _years_of_one_slip(born.year)]
            continue
        found += _initial_keys(families, _initials(given))
        found += _initial_keys(first, _initials(family))
        found += [
            _month_key(year, month, code) for code in first for year in years[:2] for month in range(1, MONTHS + 1)
        ]
        found += _year_keys(years[:2], families[:1], INITIALS)
    return found


def _exchanged(postcode: str) -> list[str]:
    """The postcode with two neighbouring letters, or two digits, in each other's place."""
    found = []
    for place, (a, b) in enumerate(pairwise(postcode)):
        if a != b and (a + b).isalnum() and a.isdigit() == b.isdigit():
            found.append(postcode[:place] + b + a + postcode[place + 2 :])
    return found


@lru_cache(maxsize=CACHED_VALUES)
def _years_of_one_slip(year: int) -> tuple[int, ...]:
    """Years that differ in their last or last but one digit, and the next ones."""
    decades = (year % 10 + 10 * decade + year // 100 * 100 for decade in range(10))
    units = (year // 10 * 10 + unit for unit in range(10))
    return tuple(sorted({year - 1, year + 1, *decades, *units} - {year}))


def _tier(texts: list[str], *, crowd: bool) -> Tier:
    distinct = list(dict.fromkeys(texts))
    most = MAX_ASKED_KEYS if crowd else MAX_LAST_KEYS
    return Tier(tuple(map(hash_key, distinct[:most])), crowd, len(distinct) <= most)


def _date_key(born: BirthDate) -> str:
    return f"D{born.year}-{born.month}-{born.day}"


def _asked_years(asked: Asked, today: date) -> tuple[int, ...]:
    """The birth years that a date, year or age (one off allowed) can mean."""
    if asked.birth:
        return (asked.birth.year,)
    if asked.age is None:
        return ()
    later_first = today.month > MONTHS // 2  # until July most people's birthday of the year is still ahead
    return tuple(today.year - asked.age - off for off in ((0, 1, -1, 2) if later_first else (1, 0, 2, -1)))


@lru_cache(maxsize=CACHED_VALUES)
def _family_codes(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Sounds of the whole family name and, if double-barrelled, of its parts."""
    if len(tokens) <= 1:
        return (skeleton(tokens[0]),) if tokens else ()
    parts = (token for token in tokens if token not in PARTICLES)
    return tuple(dict.fromkeys(skeleton(token) for token in ("".join(tokens), *parts)))


@lru_cache(maxsize=CACHED_VALUES)
def _given_codes(tokens: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(skeleton(token) for token in tokens[:GIVEN_ASKED]))


@lru_cache(maxsize=CACHED_VALUES)
def _root_codes(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Sounds of the first given name, of the names that it is short for, and of the second."""
    if len(tokens) <= 1:
        return _formal_codes(tokens[0]) if tokens else ()
    return tuple(dict.fromkeys((*_formal_codes(tokens[0]), skeleton(tokens[1]))))


@lru_cache(maxsize=CACHED_NAMES)
def _formal_codes(token: str) -> tuple[str, ...]:
    formal = sorted(roots(token) - {token})[:MAX_ROOTS]
    return tuple(dict.fromkeys(skeleton(name) for name in (token, *formal)))


@lru_cache(maxsize=CACHED_VALUES)
def _initials(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """First letters of the first given name and of the names that it is short for."""
    return tuple(dict.fromkeys(code[0] for code in _formal_codes(tokens[0]))) if tokens else ()


def _by_year(years: tuple[int, ...], names: list[_AskedName]) -> list[str]:
    """By year, family name and initial of the given name; also with the two names exchanged."""
    found: list[str] = []
    for given, family, families, givens in names:
        found += _year_keys(years, families, _initials(given))
        found += _year_keys(years, givens[:1], _initials(family))
    return found


def _pairs(prefix: str, families: Iterable[str], givens: tuple[str, ...]) -> Iterable[str]:
    for family in families:
        for given in givens:
            yield f"{prefix}{family}|{given}" if family < given else f"{prefix}{given}|{family}"


def _place_keys(postcodes: Iterable[str], codes: Iterable[str]) -> Iterable[str]:
    return [f"P{postcode}|{code}" for postcode in postcodes if not is_outward(postcode) for code in codes]


def _address_key(postcode: str) -> str:
    return f"a{postcode}"


def _year_keys(years: Iterable[int], families: Iterable[str], initials: Iterable[str]) -> Iterable[str]:
    return [f"i{year}|{family}|{initial}" for year in years for family in families for initial in initials]


def _initial_keys(families: Iterable[str], initials: Iterable[str]) -> list[str]:
    return [f"j{family}|{initial}" for family in families for initial in initials]


def _month_key(year: int, month: int, code: str) -> str:
    return f"Y{year}-{month}|{code}"


def _part_of_date_keys(born: BirthDate, families: tuple[str, ...], givens: tuple[str, ...]) -> list[str]:
    if not born.month:
        return []
    found = [_month_key(born.year, born.month, code) for code in givens]
    if born.day:
        found += [f"m{born.month}-{born.day}|{code}" for code in families]
    return found
