"""What matching sees of a stored person: only what may be searched, first as it is stored, then normalised."""

from dataclasses import dataclass

import orjson

from gateway.matching.normalise import (
    MAX_TOKENS,
    BirthDate,
    distinct,
    name_tokens,
    nhs_number,
    parse_birth_date,
    parse_postcode,
)
from mappings.model import Person
from mappings.vocabulary import NHS_NUMBER_SYSTEM

MAX_VALUES = 16  # names, birth dates, postcodes or numbers of one person that are searched, newest sources first

# One name as tokens: given (middle names included), family.
NameTokens = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Everything about one person that may be searched, current and former, as the sources wrote it.

    `names` are pairs (given names, family name). Nothing that is marked `protected` may ever be put in here;
    `Candidate.of` leaves it out.
    """

    names: tuple[tuple[tuple[str, ...], str], ...] = ()
    birth_dates: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    nhs_numbers: tuple[str, ...] = ()

    @classmethod
    def of(cls, person: Person) -> "Candidate":
        """All of one person that is not protected."""
        return cls(
            names=tuple((name.given, name.family) for name in person.names if not name.protected),
            birth_dates=(person.birth_date,) if person.birth_date else (),
            postcodes=tuple(a.postcode for a in person.addresses if a.postcode and not a.protected),
            nhs_numbers=tuple(i.value for i in person.identifiers if i.system == NHS_NUMBER_SYSTEM and not i.protected),
        )


@dataclass(frozen=True, slots=True)
class Card:
    """One person, normalised once when stored: the keys are made from it and questions are compared with it."""

    names: tuple[NameTokens, ...]
    births: tuple[BirthDate, ...]
    postcodes: tuple[str, ...]
    nhs_numbers: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """JSON, as the column `person_card.card` holds it."""
        return orjson.dumps((self.names, [tuple(born) for born in self.births], self.postcodes, self.nhs_numbers))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Card":
        """Read what `to_bytes` wrote."""
        names, births, postcodes, numbers = orjson.loads(data)
        return cls(
            tuple((tuple(given), tuple(family)) for given, family in names),
            tuple(BirthDate(*birth) for birth in births),
            tuple(postcodes),
            tuple(numbers),
        )


def card_of(candidate: Candidate) -> Card:
    """Normalise a stored person; unusable values (placeholders, failed check digits) are left out."""
    return Card(
        distinct(_tokens(*name) for name in candidate.names[:MAX_VALUES]),
        distinct(parse_birth_date(text) for text in candidate.birth_dates[:MAX_VALUES]),
        distinct(parse_postcode(text) for text in candidate.postcodes[:MAX_VALUES]),
        distinct(nhs_number(text) for text in candidate.nhs_numbers[:MAX_VALUES]),
    )


def _tokens(given: tuple[str, ...], family: str) -> NameTokens | None:
    tokens = (name_tokens(" ".join(given[:MAX_TOKENS])), name_tokens(family))
    return tokens if any(tokens) else None
