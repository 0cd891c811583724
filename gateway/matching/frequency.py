"""How common values are in an agency's own register, so that a rare name that agrees says more than a common one.

Every person counts once in each of their *classes*: a first given name, its sound, the formal names that it is short
for; any given name; each part of a family name, and its sound; a postcode, and its sector; a birth year.
gateway/matching/index.py keeps the counts. Nothing is taken from anywhere else: a name that is common in one town is
rare in another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from gateway.matching.compare import GIVEN_STORED
from gateway.matching.keys import hash_key
from gateway.matching.normalise import CACHED_NAMES, skeleton
from gateway.matching.record import Card
from gateway.matching.roots import MAX_ROOTS, roots

MAX_CLASSES: Final = 96  # of one person
EVERYBODY: Final = 0  # the class of all people

# What a register of few people says of frequencies is little: as many people of average names are added to it.
ADDED_PEOPLE: Final = 500
AVERAGE_GIVEN, AVERAGE_FAMILY, AVERAGE_POSTCODE = 0.002, 0.0005, 0.0001
AVERAGE_SECTOR: Final = 0.0071  # in the training data: what share of the people live in a person's own sector
BIRTH_YEARS: Final = 72  # as many equally common years would make two people's agree as often as in the training data
RAREST_GIVEN, RAREST_FAMILY, RAREST_POSTCODE, RAREST_YEAR = 2e-5, 1e-5, 2e-5, 1e-4  # rarer counts as this


@lru_cache(maxsize=CACHED_NAMES)
def _class(kind: str, value: str) -> int:
    return hash_key(f"{kind}:{value}")


def given_class(token: str) -> int:
    """People whose first given name this is."""
    return _class("given", token)


def given_sound_class(token: str) -> int:
    """People whose first given name sounds so."""
    return _class("given-sound", skeleton(token))


@lru_cache(maxsize=CACHED_NAMES)
def root_classes(token: str) -> tuple[int, ...]:
    """For each formal name that `token` is, or is short for: people whose first given name is that or short for it."""
    return tuple(
        _class("root", root) for root in sorted(roots(token), key=lambda root: (root != token, root))[:MAX_ROOTS]
    )


def family_class(token: str) -> int:
    """People with this part of a family name."""
    return _class("family", token)


def family_sound_class(token: str) -> int:
    """People with a part of a family name that sounds so."""
    return _class("family-sound", skeleton(token))


def postcode_class(postcode: str) -> int:
    """People of this postcode, now or before."""
    return _class("postcode", postcode)


@lru_cache(maxsize=CACHED_NAMES)
def sector_class(postcode: str) -> int:
    """People of this postcode's sector (`LS3 4` of LS3 4AB): those whose postcode is like it."""
    return _class("sector", postcode[:-2] if " " in postcode else postcode)


def any_given_class(token: str) -> int:
    """People one of whose given names this is, first or second."""
    return _class("any-given", token)


def year_class(year: int) -> int:
    """People born in this year."""
    return _class("year", str(year))


def classes_of(card: Card) -> tuple[int, ...]:
    """The classes in which a stored person counts."""
    found = {EVERYBODY: None}
    found |= dict.fromkeys(postcode_class(postcode) for postcode in card.postcodes)
    found |= dict.fromkeys(sector_class(postcode) for postcode in card.postcodes)
    found |= dict.fromkeys(year_class(born.year) for born in card.births)
    for given, family in card.names:  # last: of very many names some are not counted
        if given:
            found |= dict.fromkeys((given_class(given[0]), given_sound_class(given[0]), *root_classes(given[0])))
            found |= dict.fromkeys(any_given_class(token) for token in given[:GIVEN_STORED])
        for token in family:
            found |= dict.fromkeys((family_class(token), family_sound_class(token)))
    return tuple(found)[:MAX_CLASSES]


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Counts of the classes that a question needs; those that are missing count nobody."""

    counts: Mapping[int, int] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many people the register has."""
        return self.counts.get(EVERYBODY, 0)

    def given(self, classes: Iterable[int]) -> float:
        """The share of people in the commonest of these classes of given names."""
        return max(self._share(max(map(self._count, classes), default=0), AVERAGE_GIVEN), RAREST_GIVEN)

    def family(self, classes: Iterable[int]) -> float:
        """The share of people in the rarest of these classes of family names."""
        return max(self._share(min(map(self._count, classes), default=0), AVERAGE_FAMILY), RAREST_FAMILY)

    def postcode(self, of: int) -> float:
        """The share of people of one postcode."""
        return max(self._share(self._count(of), AVERAGE_POSTCODE), RAREST_POSTCODE)

    def any_given(self, of: int) -> float:
        """The share of people who have this given name, first or second."""
        return max(self._share(self._count(of), AVERAGE_GIVEN), RAREST_GIVEN)

    def sector(self, classes: Iterable[int]) -> float:
        """The share of people in the most populous of these postcode sectors."""
        return self._share(max(map(self._count, classes), default=0), AVERAGE_SECTOR)

    def year(self, of: int) -> float:
        """The share of people of one birth year."""
        return max(self._share(self._count(of), 1 / BIRTH_YEARS), RAREST_YEAR)

    def _count(self, of: int) -> int:
        return self.counts.get(of, 0)

    def _share(self, count: int, average: float) -> float:
        return (count + average * ADDED_PEOPLE) / (self.people + ADDED_PEOPLE)
