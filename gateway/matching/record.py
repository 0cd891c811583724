"""What matching sees: a stored person (`Candidate`, normalised to a `Card`) and a question (`Subject`, to `Asked`)."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import orjson

from gateway.matching.normalise import (
    MAX_TOKENS,
    BirthDate,
    distinct,
    name_tokens,
    nhs_number,
    parse_birth_date,
    parse_postcode,
    plausible_age,
    plausible_birth_date,
)
from gateway.wire.query import NameParts, Subject
from mappings.vocabulary import NHS_NUMBER_SYSTEM

MAX_VALUES = 16  # names, birth dates, postcodes or numbers of one person that are searched, as the sources have them

MAX_ASKED_NAMES = 4  # names in one question that are searched

# One name as tokens: given (middle names included), family.
NameTokens = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Everything about one person that may be searched, current and former, as the sources wrote it.

    `names` are pairs (given names, family name). Nothing that is marked `protected` may ever be put in here;
    gateway/node/same_person.py, which makes them, leaves it out.
    """

    names: tuple[tuple[tuple[str, ...], str], ...] = ()
    birth_dates: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    nhs_numbers: tuple[str, ...] = ()


class Card(NamedTuple):
    """One person, normalised once when stored: the keys are made from it and questions are compared with it."""

    names: tuple[NameTokens, ...]
    births: tuple[BirthDate, ...]
    postcodes: tuple[str, ...]
    nhs_numbers: tuple[str, ...]

    def was_born(self, birth: BirthDate | None) -> bool:
        """Whether exactly this is one of the birth dates on record."""
        return birth in self.births

    def to_bytes(self) -> bytes:
        """JSON, as the column `person_card.card` holds it."""
        return orjson.dumps((self.names, [tuple(born) for born in self.births], self.postcodes, self.nhs_numbers))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Card":
        """Read what `to_bytes` wrote."""
        stored = StoredCard(data)
        return Card(stored.names, stored.births, tuple(stored.postcodes), stored.nhs_numbers)


class StoredCard:
    """What `Card.to_bytes` wrote, to be compared once: the birth dates are read when they are wanted.

    Most people under a question's keys have another name, and need no more reading.
    """

    __slots__ = ("_births", "names", "nhs_numbers", "postcodes")

    def __init__(self, data: bytes) -> None:
        names, self._births, self.postcodes, numbers = orjson.loads(data)
        if len(names) == 1:
            ((given, family),) = names
            self.names: tuple[NameTokens, ...] = ((tuple(given), tuple(family)),)
        else:
            self.names = tuple([(tuple(given), tuple(family)) for given, family in names])
        self.nhs_numbers: tuple[str, ...] = tuple(numbers)

    @property
    def births(self) -> tuple[BirthDate, ...]:
        """The birth dates on record."""
        return tuple(map(BirthDate._make, self._births))

    def was_born(self, birth: BirthDate | None) -> bool:
        """As `Card.was_born`."""
        return birth is not None and list(birth) in self._births


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, normalised. `nhs_number` is None where none was typed or `number_failed` its check digit."""

    names: tuple[NameTokens, ...]
    birth: BirthDate | None
    age: int | None
    postcode: str | None
    nhs_number: str | None
    number_failed: bool


def card_of(candidate: Candidate) -> Card:
    """Normalise a stored person; unusable values (placeholders, failed check digits) are left out."""
    return Card(
        distinct(_tokens(*name) for name in candidate.names[:MAX_VALUES]),
        distinct(parse_birth_date(text) for text in candidate.birth_dates[:MAX_VALUES]),
        distinct(parse_postcode(text) for text in candidate.postcodes[:MAX_VALUES]),
        distinct(nhs_number(text) for text in candidate.nhs_numbers[:MAX_VALUES]),
    )


def asked_of(subject: Subject, *, today: date) -> Asked:
    """Normalise a question; what cannot be used (a date in the future, an age of 200) counts as not asked."""
    birth = plausible_birth_date(subject.birth_date, today)
    typed = [value for system, value in subject.identifiers if system == NHS_NUMBER_SYSTEM]
    number = nhs_number(typed[0]) if typed else None
    return Asked(
        names=distinct(tokens for name in subject.names[:MAX_ASKED_NAMES] for tokens in _asked_names(name)),
        birth=birth,
        age=plausible_age(subject.age) if birth is None else None,
        postcode=parse_postcode(subject.postcode),
        nhs_number=number,
        number_failed=bool(typed) and number is None,
    )


def _asked_names(name: NameParts) -> list[NameTokens | None]:
    if name.given or name.family:
        return [_tokens(name.given, name.family)]
    family, comma, given = name.text.partition(",")
    if comma:  # "Smith, Robert"
        return [_tokens((given,), family)]
    given, _, family = name.text.strip().rpartition(" ")
    if name_tokens(family):  # the last word, both halves of a double-barrelled one
        return [_tokens((given,), family)]
    tokens = name_tokens(name.text)
    return [(tokens[:-1], tokens[-1:])] if tokens else []


def _tokens(given: tuple[str, ...], family: str) -> NameTokens | None:
    tokens = (name_tokens(" ".join(given[:MAX_TOKENS])), name_tokens(family))
    return tokens if any(tokens) else None
