"""Turns text as case systems hold it into the forms of mappings.model. Pure; no function puts a value into an error."""

import calendar
import re
import unicodedata
from datetime import date
from functools import cache, lru_cache
from itertools import pairwise

MOBILE = re.compile(r"07(?!0|6(?!24))\d{9}")  # Ofcom: 070 is personal numbering, 076 paging (but 07624 Isle of Man)
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9][A-Z]{2})")
_TRAILING_POSTCODE = re.compile(rf"[\s,]*\b{_POSTCODE.pattern}\s*$", re.IGNORECASE)
# What people keep as an address, on the internet.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_PHONE = re.compile(
    r"(?P<number>\+?[\d\s().-]{3,30}?)\s*(?:(?:ext|extension|x)\.?\s*(?P<extension>\d{1,6}))?", re.IGNORECASE
)
_NHS_NUMBER = re.compile(r"[0-9]{10}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{7,14}")  # ITU-T E.164
_ODS = re.compile(r"[A-Z0-9]{3,10}")
_NICKNAME = re.compile(r"[(\"“]([^()\"“”]{1,60})[)\"”]")
_TITLES = frozenset(
    {
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "professor",
        "rev",
        "revd",
        "sir",
        "dame",
        "lady",
        "lord",
        "master",
        "sgt",
        "insp",
        "cllr",
        "pc",
        "wpc",
        "pcso",
        "dc",
        "ds",
        "di",
        "dci",
        "ch",
    }
)
_PARTICLES = frozenset(
    {
        "van",
        "von",
        "der",
        "den",
        "de",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "du",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "ben",
        "ter",
        "ten",
        "zu",
        "st",
    }
)
_DIRECTIVE = re.compile(r"%(.)")
_SEPARATORS = re.compile(r"[,\r\n]+")
_MONTHS = {
    name.casefold(): number for names in (calendar.month_name, calendar.month_abbr) for number, name in enumerate(names)
}
# What each directive of strptime accepts.
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "m": r"(?P<m>1[0-2]|0[1-9]|[1-9])",
    "d": r"(?P<d>3[01]|[12]\d|0[1-9]|[1-9]| [1-9])",
    "b": f"(?P<b>{'|'.join(filter(None, calendar.month_abbr))})",
    "B": f"(?P<B>{'|'.join(filter(None, calendar.month_name))})",
    "H": r"(?:2[0-3]|[01]\d|\d)",
    "M": r"(?:[0-5]\d|\d)",
    "S": r"(?:6[01]|[0-5]\d|\d)",
    "%": "%",
}
_REMEMBERED = 4096  # results: dates and workers' numbers come again and again in an export
_FIRST_YEAR, _LAST_YEAR = 1850, 2150  # outside: a typing error or a sentinel
_EMAIL_MAX = 254  # RFC 5321 4.5.3.1.3, less the angle brackets


class Unusable(ValueError):
    """The text has no such form; the message says why without quoting it."""


def clean(text: str) -> str:
    """NFC, without control and format characters, white space collapsed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c.isspace() else "" for c in text)
    return " ".join(text.split())


def check_date_format(pattern: str) -> None:
    """Raise ValueError unless `iso_date` can use this strptime pattern."""
    directives = _DIRECTIVE.findall(pattern)
    if unknown := [d for d in directives if d not in _DIRECTIVES]:
        raise ValueError(f"%{unknown[0]} is not supported; known are %Y %m %d %b %B %H %M %S")
    if "Y" not in directives:
        raise ValueError("a date needs %Y, the year with four digits")
    if "d" in directives and not {"m", "b", "B"} & set(directives):
        raise ValueError("a date with a day needs a month")
    if twice := [d for d in "YmdbB" if directives.count(d) > 1]:
        raise ValueError(f"%{twice[0]} stands there twice")


@lru_cache(maxsize=_REMEMBERED)
def iso_date(text: str, patterns: tuple[str, ...]) -> str:
    """Read a date by the first pattern that fits; as precise as the pattern: 2014, 2014-03 or 2014-03-09."""
    for pattern in patterns:
        match = _date_pattern(pattern).fullmatch(text)
        if not match:
            continue
        found = match.groupdict()
        named = found.get("b") or found.get("B")
        month = _MONTHS[named.casefold()] if named else int(found.get("m") or 1)
        try:
            read = date(int(found["Y"]), month, int(found.get("d") or 1))
        except ValueError:  # the 30th of February
            continue
        if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
            raise Unusable(f"year is outside {_FIRST_YEAR} to {_LAST_YEAR}")
        return read.isoformat()[: _precision(pattern)]
    raise Unusable("not a date of the form " + " or ".join(patterns))


@cache
def _date_pattern(pattern: str) -> re.Pattern[str]:
    """What strptime would match; how many there are depends on the mappings alone."""
    return re.compile(
        re.sub(
            r"%(.)|(\s+)|([^%\s]+)",
            lambda part: _DIRECTIVES[part[1]] if part[1] else r"\s+" if part[2] else re.escape(part[3]),
            pattern,
        ),
        re.IGNORECASE,
    )


@cache
def _precision(pattern: str) -> int:
    """How many characters of an ISO date a pattern determines."""
    directives = set(_DIRECTIVE.findall(pattern))
    if "d" in directives:
        return 10
    return 7 if directives & {"m", "b", "B"} else 4


def nhs_number(text: str) -> str:
    """Ten digits with a right check digit (NHS Data Dictionary, NHS NUMBER: modulus 11)."""
    digits = text.replace(" ", "").replace("-", "")
    if not _NHS_NUMBER.fullmatch(digits):
        raise Unusable("an NHS number has ten digits")
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    if (11 - remainder) % 11 != int(digits[9]):
        raise Unusable("the check digit of the NHS number is wrong")
    return digits


def ods_code(text: str) -> str:
    """An organisation code of the NHS Organisation Data Service, upper case."""
    code = text.upper()
    if not _ODS.fullmatch(code):
        raise Unusable("not an ODS code")
    return code


def postcode(text: str) -> str:
    """A UK postcode, upper case with its space."""
    match = _POSTCODE.fullmatch(text.upper().strip())
    if not match:
        raise Unusable("not a whole postcode")
    return f"{match[1]} {match[2]}"


def split_address(text: str) -> tuple[tuple[str, ...], str, str]:
    """Lines, city and postcode of an address written in one piece; the last part is taken to be the city."""
    code = ""
    last = text.rstrip()[-3:]  # tells most other texts cheaply: the search would try each of their places
    if last[:1].isdigit() and (match := _TRAILING_POSTCODE.search(text)):
        code, text = postcode(match[0].strip(" ,\r\n\t")), text[: match.start()]
    parts = [cleaned for part in _SEPARATORS.split(text) if (cleaned := clean(part))]
    *lines, city = parts or [""]
    return (tuple(lines), city, code) if lines else (tuple(parts), "", code)


def email(text: str) -> str:
    """An email address, its domain in lower case."""
    if len(text) > _EMAIL_MAX or not _EMAIL.fullmatch(text):
        raise Unusable("not an email address")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


@lru_cache(maxsize=_REMEMBERED)
def phone(text: str) -> str:
    """A phone number as people in the UK read it, `+` kept for other countries: "01632 960401 ext 12"."""
    match = _PHONE.fullmatch(text)
    if not match:
        raise Unusable("not a phone number")
    number = re.sub(r"[\s().-]", "", match["number"].replace("(0)", ""))
    if number.startswith("00"):
        number = "+" + number[2:]
    if number.startswith("+44"):
        number = "0" + number[3:].removeprefix("0")
    extension = f" ext {match['extension']}" if match["extension"] else ""
    return _grouped(number) + extension


def _grouped(number: str) -> str:
    """Put spaces where UK readers expect them; refuse what cannot be dialled."""
    if number.startswith("+"):
        if not _INTERNATIONAL.fullmatch(number):
            raise Unusable("not a phone number")
        return number
    if re.fullmatch(r"1[01]\d{1}|11[68]\d{3}|999", number):  # 101, 111, 116 123 and other national short numbers
        return number
    if not re.fullmatch(r"0[1-9]\d{8,9}", number):
        raise Unusable("not a phone number")
    for shape, at in ((r"02", (3, 7)), (r"01(1\d|\d1)", (4, 7)), (r"0[389]", (4, 7)), (r"", (5,))):
        if re.match(shape, number):
            cuts = [0, *at, len(number)]
            return " ".join(number[a:b] for a, b in pairwise(cuts))
    raise AssertionError("the last shape fits every number")


@lru_cache(maxsize=_REMEMBERED)
def split_name(text: str, order: str) -> tuple[str, tuple[str, ...], str]:
    """Family name, given names and nickname of a name written in one piece.

    `order` is "family-comma-given" ("SMITH, Mr John (Jack)") or "given-family" ("Ms Elke van der Berg"). Titles are
    dropped; without a comma the second order is read.
    """
    nickname = ""
    if match := _NICKNAME.search(text):
        nickname, text = clean(match[1]), text[: match.start()] + " " + text[match.end() :]
    if order == "family-comma-given" and "," in text:
        family, _, given = text.partition(",")
        return clean(family), tuple(_without_titles(given.replace(",", " ").split())), nickname
    words = _without_titles(text.replace(",", " ").split())
    if not words[1:]:
        # One word: a family name where those come first, else what a volunteer is called.
        return (
            (words[0] if words else "", (), nickname) if order == "family-comma-given" else ("", tuple(words), nickname)
        )
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in _PARTICLES:
        start -= 1
    return " ".join(words[start:]), tuple(words[:start]), nickname


def _without_titles(words: list[str]) -> list[str]:
    kept = list(words)
    while len(kept) > 1 and kept[0].rstrip(".").casefold() in _TITLES:
        kept.pop(0)
    return kept
