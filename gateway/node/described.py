"""Whom a question describes, as coarsely as guesses vary: what its variants count under (docs/policy.md, "Probing").

The question alone decides it, never the register: else a count would tell who is known. Whatever matching may find
somebody by is counted, so that an invented word beside it makes nobody new:

- every name, as the sound of a given name beside the sound of a family name, in no order, with the birth year or age
- a postcode with the birth year or age, whatever the name
- an NHS number

Some of it several people share: another given name than the first (Kaur, Marie), an address, a name without a birth.
There more variants are allowed.
"""

from functools import lru_cache
from typing import NamedTuple

from gateway.matching.compare import GIVEN_ASKED, PARTICLES
from gateway.matching.normalise import CACHED_VALUES, skeleton
from gateway.matching.record import Asked

NAME, ADDRESS, NUMBER = "typed-person", "typed-address", "typed-number"
MOST_WAYS = 32  # as many as two names of two given and four family names, an address and a number have


class Way(NamedTuple):
    """One description in a question; `shared` if several people of one house or one name answer to it."""

    kind: str
    who: tuple[str, ...]
    shared: bool


def ways_of(asked: Asked) -> tuple[Way, ...]:
    """All descriptions in a question, each once; mostly two to four. More than MOST_WAYS are no honest question."""
    told = _birth(asked)
    found: list[Way] = []
    for given, family in asked.names:
        first, second, families = _givens(given), given[1:GIVEN_ASKED], _families(family)
        others = tuple([skeleton(token) for token in second])
        for sound in families or ("",):
            found += [Way(NAME, (*sorted((sound, each)), told), not told) for each in first or ("",)]
            found += [Way(NAME, (*sorted((sound, each)), told), True) for each in others]
    if asked.postcode is not None:
        found.append(Way(ADDRESS, (asked.postcode, told), True))
    if asked.nhs_number is not None:
        found.append(Way(NUMBER, (asked.nhs_number,), False))
    return tuple(dict.fromkeys(found))


def _birth(asked: Asked) -> str:
    """The birth year or the age; a postcode is none, for it may be what is guessed."""
    if asked.birth is not None:
        return str(asked.birth.year)
    return "" if asked.age is None else f"aged {asked.age}"


@lru_cache(maxsize=CACHED_VALUES)
def _givens(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The sounds of the first given name and of all as one: Xiaoming is written Xiao Ming too."""
    return tuple(dict.fromkeys(skeleton(token) for token in (*tokens[:1], "".join(tokens)) if token))


@lru_cache(maxsize=CACHED_VALUES)
def _families(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The sounds of the whole family name and of its parts, any of which may be enough to match."""
    parts = [token for token in tokens if token not in PARTICLES]
    return tuple(dict.fromkeys(skeleton(token) for token in ("".join(tokens), *parts) if token))
