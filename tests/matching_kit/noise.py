"""What a practitioner might type about a person: misspelt, misheard, half remembered, in part or not at all.

The rates are assumptions of this generator, not measurements.
"""

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypedDict

from tests.matching_kit.namebook import NameBook

AGE_REFERENCE_DATE = date(2025, 6, 1)  # the day on which a typed age is counted
POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
SHORT = 3  # letters; shorter names are typed without a slip

KEYBOARD_NEIGHBOURS = {
    pair[0]: pair[2:]
    for pair in (
        "q>wa w>qes e>wrd r>etf t>ryg y>tuh u>yij i>uok o>ipl p>ol a>qsz s>adwx d>sfec f>dgrv g>fhtb h>gjyn j>hkum "
        "k>jli l>kop z>xas x>zcsd c>xvdf v>cbfg b>vngh n>bmhj m>nkj"
    ).split()
}
SOUND_ALIKES = [
    tuple(pair.split(">"))
    for pair in (
        "ph>f ck>k ee>ea ie>ei y>i mc>mac ll>l tt>t nn>n ss>s c>k z>s x>ks gh>g kn>n oo>u ey>y er>ar "
        "e>a i>y s>z son>sen ce>se ou>ow l>ll n>nn t>tt"
    ).split()
]


@dataclass(slots=True)
class Person:
    """One made-up person; `id` stays None for those who are not in the register."""

    given: str
    middle: str
    family: str
    birth_date: date
    sex: str
    postcode: str
    transliterated: bool
    id: str | None = None


class Birth(TypedDict):
    """What was typed of somebody's birth: one of these at most."""

    birth_date: str | None
    birth_year: int | None
    age: int | None


class Query(Birth):
    """One line of queries.jsonl. `truth`, `kind` and `noise` are for scoring only: no matcher may read them."""

    given: str
    family: str
    postcode: str | None
    truth: str | None
    kind: str
    noise: list[str]


def misspell(text: str, rng: random.Random) -> str:
    """Make one typing error: a letter dropped, mistyped, added or exchanged with the next."""
    if len(text) < SHORT:
        return text
    kind = rng.random()
    index = rng.randrange(1 if rng.random() < 0.8 else 0, len(text))
    if kind < 0.3:
        return text[:index] + text[index + 1 :]
    if kind < 0.55:
        wrong = rng.choice(KEYBOARD_NEIGHBOURS.get(text[index], string.ascii_lowercase))
        return text[:index] + wrong + text[index + 1 :]
    if kind < 0.75:
        added = text[index] if rng.random() < 0.5 else rng.choice(string.ascii_lowercase)
        return text[:index] + added + text[index:]
    index = min(index, len(text) - 2)
    return text[:index] + text[index + 1] + text[index] + text[index + 2 :]


def mishear(text: str, rng: random.Random) -> str:
    """Replace one sound by another way to write it."""
    possible = [(old, new) for old, new in SOUND_ALIKES if old in text]
    return text.replace(*rng.choice(possible), 1) if possible else misspell(text, rng)


class QueryWriter:
    """Turns a person into what might be typed about them."""

    def __init__(self, rng: random.Random, names: NameBook, postcodes: Sequence[str]) -> None:
        """`postcodes`: where somebody may have lived before."""
        self._rng, self._names, self._postcodes = rng, names, postcodes

    def query(self, person: Person, kind: str) -> Query:
        """One query; "noise" lists what was done to the person's details."""
        noise: list[str] = []
        given, family = self._given(person, noise), self._family(person, noise)
        if self._rng.random() < (0.06 if person.transliterated else 0.012):
            given, family = family, given
            noise.append("names_swapped")
        birth = self._birth(person.birth_date, noise)
        return {
            "given": given,
            "family": family,
            **birth,
            "postcode": self._postcode(person.postcode, noise),
            "truth": person.id,
            "kind": kind,
            "noise": noise,
        }

    def _draw(self, noise: list[str], *kinds: tuple[str, float, bool]) -> str | None:
        """Draw one (kind, rate, possible) and note it; an impossible one leaves its share to the next."""
        drawn, upper = self._rng.random(), 0.0
        for kind, rate, possible in kinds:
            upper += rate
            if drawn < upper and possible:
                noise.append(kind)
                return kind
        return None

    def _given(self, person: Person, noise: list[str]) -> str:
        rng, names, given = self._rng, self._names, person.given
        if person.middle and rng.random() < 0.025:
            given = person.middle
            noise.append("given_middle")
        done = self._draw(
            noise,
            ("given_nickname", 0.13, given in names.forename_variants),
            ("given_typo", 0.07, True),
            ("given_misheard", 0.035, True),
            ("given_initial", 0.02, True),
        )
        if done == "given_nickname":
            given = names.forename_variants[given].pick(rng)
        elif done == "given_typo":
            given = misspell(given, rng)
        elif done == "given_misheard":
            given = mishear(given, rng)
        elif done == "given_initial":
            given = given[0]
        given = self._respelt(given, 0.45 if person.transliterated else 0.15, noise, "given_respelt")
        return f"{given} {person.middle}" if person.middle and rng.random() < 0.15 else given

    def _family(self, person: Person, noise: list[str]) -> str:
        rng, names, family = self._rng, self._names, person.family
        adult_woman = person.sex == "female" and person.birth_date.year < 2004
        done = self._draw(
            noise,
            ("family_typo", 0.065, True),
            ("family_misheard", 0.035, True),
            ("family_variant", 0.02, family in names.surname_variants),
            ("family_changed", 0.03, adult_woman),
            ("family_doubled", 0.015, True),
        )
        if done == "family_typo":
            family = misspell(family, rng)
        elif done == "family_misheard":
            family = mishear(family, rng)
        elif done == "family_variant":
            family = names.surname_variants[family].pick(rng)
        elif done == "family_changed":
            family = names.surname(transliterated=person.transliterated)
        elif done == "family_doubled":
            family += "-" + names.surname(transliterated=person.transliterated)
        if "-" in family and rng.random() < 0.45:
            family = rng.choice(family.split("-"))
            noise.append("family_halved")
        return self._respelt(family, 0.35 if person.transliterated else 0.06, noise, "family_respelt")

    def _respelt(self, name: str, rate: float, noise: list[str], kind: str) -> str:
        """The name, or at this rate another of its spellings."""
        if name in self._names.other_spellings and self._rng.random() < rate:
            noise.append(kind)
            return self._rng.choice(self._names.other_spellings[name])
        return name

    def _birth(self, born: date, noise: list[str]) -> Birth:
        """A date (perhaps wrong), only a year, only an age, or nothing."""
        done = self._draw(
            noise,
            ("birth_missing", 0.10, True),
            ("birth_year_only", 0.08, True),
            ("birth_age_only", 0.05, True),
            ("birth_day_month_swapped", 0.03, born.day <= 12 and born.day != born.month),
            ("birth_digit", 0.04, True),
            ("birth_day", 0.02, True),
            ("birth_year_off", 0.01, True),
        )
        if done == "birth_missing":
            return {"birth_date": None, "birth_year": None, "age": None}
        if done == "birth_year_only":
            return {"birth_date": None, "birth_year": born.year, "age": None}
        if done == "birth_age_only":
            return {"birth_date": None, "birth_year": None, "age": self._age(born)}
        return {"birth_date": self._date(born, done), "birth_year": None, "age": None}

    def _age(self, born: date) -> int:
        """The age, or in one of five cases one off."""
        today = AGE_REFERENCE_DATE
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        return age + (self._rng.choice((-1, 1)) if self._rng.random() < 0.2 else 0)

    def _date(self, born: date, done: str | None) -> str:
        rng = self._rng
        if done == "birth_day_month_swapped":
            return date(born.year, born.day, born.month).isoformat()
        if done == "birth_digit":
            return self._wrong_digit(born.isoformat())
        if done == "birth_day":
            return (born + timedelta(rng.choice((-2, -1, 1, 2)))).isoformat()
        if done == "birth_year_off":
            day = 28 if (born.month, born.day) == (2, 29) else born.day
            return date(born.year + rng.choice((-1, 1)), born.month, day).isoformat()
        return born.isoformat()

    def _wrong_digit(self, typed: str) -> str:
        """Change one digit of the date (not the century), so that it stays a date."""
        while True:
            index = self._rng.choice((2, 3, 5, 6, 8, 9))
            changed = typed[:index] + self._rng.choice(string.digits) + typed[index + 1 :]
            if changed != typed and _is_date(changed):
                return changed

    def _postcode(self, postcode: str, noise: list[str]) -> str | None:
        """The postcode: missing, of another address, only its district, or with a typing error."""
        rng = self._rng
        done = self._draw(
            noise,
            ("postcode_missing", 0.30, True),
            ("postcode_moved", 0.14, True),
            ("postcode_district", 0.05, True),
            ("postcode_typo", 0.04, True),
        )
        if done == "postcode_moved":
            return rng.choice(self._postcodes)
        if done == "postcode_district":
            return postcode.split(maxsplit=1)[0]
        if done == "postcode_typo":
            index = rng.choice([place for place, character in enumerate(postcode) if character != " "])
            others = (POSTCODE_LETTERS if postcode[index].isalpha() else "123456789").replace(postcode[index], "")
            return postcode[:index] + rng.choice(others) + postcode[index + 1 :]
        return None if done else postcode


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
