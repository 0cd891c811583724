"""What people type and systems store, made comparable: names of any script, dates, ages, postcodes, NHS numbers.

Every function takes any text of any length, looks at a bounded part of it, and returns None or an empty value for what
cannot be used. Nothing here raises on bad input, and nothing logs.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeVar

from anyascii import anyascii
from doublemetaphone import doublemetaphone  # type: ignore[import-untyped]  # it has no types

from gateway.wire.limits import MAX_AGE_YEARS

MAX_NAME_CHARS = 120  # characters of a name that are looked at; longer ones do not occur
MAX_TOKENS = 6  # parts of a given or of a family name
MAX_TOKEN_CHARS = 32
OLDEST_YEAR = 1880
CACHED_VALUES = 1 << 14  # names and birth dates as written that are remembered; short ones, so some megabytes
CACHED_NAMES = 1 << 16  # tokens whose skeleton is remembered; a million people have about this many

# fmt: off
HONORIFICS = frozenset((
    "mr", "mrs", "ms", "miss", "mx", "master", "dr", "doctor", "prof", "professor", "sir", "dame", "lady", "lord",
    "rev", "reverend", "fr", "jr", "snr", "jnr", "esq",
))
PLACEHOLDER_NAMES = frozenset((
    "unknown", "unk", "notknown", "unnamed", "noname", "anonymous", "anon", "withheld", "tbc", "tba", "nil", "null",
    "baby", "infant", "xx", "xxx", "xxxx",
))
# fmt: on
# Dates that systems write when they do not know: epochs and "all ones".
PLACEHOLDER_DATES = frozenset(
    {(1900, 1, 1), (1901, 1, 1), (1899, 12, 30), (1899, 12, 31), (1970, 1, 1), (1911, 11, 11)}
)
PLACEHOLDER_OUTWARD = "ZZ99"  # NHS pseudo postcodes: no fixed abode, overseas, unknown

T = TypeVar("T")

_APOSTROPHES = str.maketrans("", "", "'`\u2018\u2019\u02bb\u02bc\u02b9\u00b4\uff07")
_LETTERS = re.compile(r"[a-z]+")
_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_UK_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9O][A-Z]{2})")
_UK_OUTWARD = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Z0-9]+")
_TEN_DIGITS = re.compile(r"[0-9]{10}")
_REPEATS = re.compile(r"(.)\1+")
_LATER_SILENT = str.maketrans("", "", "aeiouyh")
_DIGRAPHS = (("ph", "f"), ("ck", "k"), ("kh", "k"), ("gh", "g"), ("dh", "d"), ("th", "t"))
_SINGLE = str.maketrans({"q": "k", "w": "v", "x": "ks", "z": "s"})


class BirthDate(NamedTuple):
    """A birth date as far as it is known: `month` and `day` are 0 where they are not."""

    year: int
    month: int = 0
    day: int = 0

    @property
    def full(self) -> bool:
        """Whether the day is known."""
        return self.day > 0


def name_tokens(text: str) -> tuple[str, ...]:
    """The parts of one name in small letters a-z: any script, no marks, apostrophes, titles or placeholders."""
    return _name_tokens(text[:MAX_NAME_CHARS])


@lru_cache(maxsize=CACHED_VALUES)
def _name_tokens(text: str) -> tuple[str, ...]:
    if not text.isascii():
        text = anyascii(_letters_only(unicodedata.normalize("NFKC", text)))[: 4 * MAX_NAME_CHARS]
    found = _LETTERS.findall(text.translate(_APOSTROPHES).lower())
    named = [token[:MAX_TOKEN_CHARS] for token in found if token not in PLACEHOLDER_NAMES]
    untitled = [token for token in named if token not in HONORIFICS]
    return tuple((untitled or named)[:MAX_TOKENS])  # Lord and Master are family names too


def _letters_only(text: str) -> str:
    """Letters and their marks; other symbols become spaces, so that no emoji is read as the word for it."""
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "LM" or character == "'":
            kept.append(character)
        elif category != "Cf" and character not in "\u2018\u2019\u00b4`":  # joiners and apostrophes join
            kept.append(" ")
    return "".join(kept)


@lru_cache(maxsize=CACHED_NAMES)
def skeleton(token: str) -> str:
    """The sound of a token, coarsely: mohammed, muhammad and mohamed share one; so do hussain and husein."""
    for written, sound in _DIGRAPHS:
        token = token.replace(written, sound)
    if token.startswith(("kn", "wr")):
        token = token[1:]
    if not token.startswith(("ch", "ce", "ci")):
        token = token.replace("c", "k")
    token = token.translate(_SINGLE)
    first = "a" if token[0] in "aeiouy" else token[0]
    return _REPEATS.sub(r"\1", first + token[1:].translate(_LATER_SILENT))


@lru_cache(maxsize=CACHED_NAMES)
def sounds(token: str) -> frozenset[str]:
    """How a token may be spoken: its two Double Metaphone codes, and its skeleton marked with `~`."""
    return frozenset((*filter(None, doublemetaphone(token)), "~" + skeleton(token)))


def parse_birth_date(text: str | None) -> BirthDate | None:
    """Read a FHIR date (`2014`, `2014-03`, `2014-03-09`).

    A day or month that does not exist leaves the year alone, which weighs less. Placeholders are nothing.
    """
    return _birth_date(text[:10]) if text else None


@lru_cache(maxsize=CACHED_VALUES)
def _birth_date(text: str) -> BirthDate | None:
    match = _ISO_DATE.fullmatch(text)
    if not match or not match[0].isascii():
        return None
    year, month, day = (int(part or 0) for part in match.groups())
    if year < OLDEST_YEAR or (year, month, day) in PLACEHOLDER_DATES:
        return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return BirthDate(year)
    return BirthDate(year, month, day)


def plausible_birth_date(text: str | None, today: date) -> BirthDate | None:
    """As `parse_birth_date`, of somebody alive: not in the future, and at most MAX_AGE_YEARS years ago."""
    born = parse_birth_date(text)
    if born is None or not today.year - MAX_AGE_YEARS <= born.year <= today.year:
        return None
    return born if (born.year, born.month, born.day) <= (today.year, today.month, today.day) else None


def plausible_age(age: int | None) -> int | None:
    """An age in whole years, or None if nobody has it."""
    return age if age is not None and 0 <= age <= MAX_AGE_YEARS else None


def age_on(born: BirthDate, today: date) -> int:
    """Whole years lived on that day, for a full birth date."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def parse_postcode(text: str | None) -> str | None:
    """A postcode as capitals and digits: UK ones as `AB10 1XY` or `AB10`, others without spaces."""
    if not text:
        return None
    compact = _NOT_ALPHANUMERIC.sub("", text[:24].upper())[:10]
    if compact.startswith(PLACEHOLDER_OUTWARD):
        return None
    full = _UK_POSTCODE.fullmatch(compact)
    if full:
        inward = full[2].replace("O", "0", 1) if full[2][0] == "O" else full[2]  # typed letter O for zero
        return f"{full[1]} {inward}"
    return compact if len(compact) > 1 else None


def is_outward(postcode: str) -> bool:
    """Whether a parsed postcode is only the district of a UK one."""
    return _UK_OUTWARD.fullmatch(postcode) is not None


def nhs_number(text: str | None) -> str | None:
    """The ten digits of an NHS number whose modulus-11 check digit holds, else None.

    Ten times one digit passes the check but is only ever a placeholder.
    """
    if not text:
        return None
    digits = text[:24].replace(" ", "").replace("-", "")
    if not _TEN_DIGITS.fullmatch(digits) or digits == digits[0] * 10:
        return None
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    return digits if (11 - total % 11) % 11 == int(digits[9]) else None


def distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    """The usable values, each once, in order."""
    return tuple(dict.fromkeys(value for value in values if value is not None))
