"""What one record protects, and what of another would give it away. Pure.

A protected name is given away by every name that matching could take it for - misspelt, shortened, in another order, a
nickname - because a question with the one would find the other. But what the protecting record itself gives openly, it
wants to be found by: somebody who was Robert and is Roberta stays Roberta.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.matching.compare import NameLevel
from gateway.matching.normalise import name_tokens, nhs_number, parse_postcode, skeleton
from gateway.matching.pair import compare_names
from gateway.matching.record import NameTokens
from gateway.matching.roots import roots
from mappings.vocabulary import NHS_NUMBER_SYSTEM

GIVEN_COMPARED = 2  # given names of one name: people are called by their second, too

Name = tuple[tuple[str, ...], str]  # given names and family name, as written


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a record holds: names, and addresses and identifiers as they are compared; protected, and open."""

    protected_names: tuple[Name, ...]
    open_names: tuple[Name, ...]
    protected: frozenset[str]
    open: frozenset[str]


def held(raw_names: str, raw_addresses: str, raw_identifiers: str) -> Held:
    """Read columns of `person`, each JSON."""
    names: dict[bool, list[Name]] = {True: [], False: []}
    values: dict[bool, set[str]] = {True: set(), False: set()}
    for name in orjson.loads(raw_names):
        names[name["protected"]].append((tuple(name["given"]), name["family"]))
    for address in orjson.loads(raw_addresses):
        values[address["protected"]].update(_places(address))
    for identifier in orjson.loads(raw_identifiers):
        values[identifier["protected"]].add(_identifier(identifier))
    return Held(
        protected_names=tuple(names[True]),
        open_names=tuple(names[False]),
        protected=frozenset(values[True]),
        open=frozenset(values[False]),
    )


def bars(one: Held, other: Held) -> bool:
    """Whether making these records one person would connect what one of them protects with what the other gives."""
    return _gives_away(one, other) or _gives_away(other, one)


def _gives_away(protecting: Held, other: Held) -> bool:
    if not protecting.protected.isdisjoint(other.open):
        return True
    guard = Guard(protecting.protected_names, protecting.open_names)
    return any(guard.keeps_out(name) for name in other.open_names)


class Guard:
    """Keeps protected names from being found by others that are like them."""

    def __init__(self, protected: Iterable[Name], wanted: Iterable[Name]) -> None:
        """`wanted` are the names that records which protect others give openly."""
        protected = list(protected)
        self._exactly = [as_searched(name) for name in protected]
        self._sounds = {sound for name in protected for sound in _sounds(name)}
        straight = [tokens for name in protected if any(tokens := _tokens(name))]
        self._tokens = straight + [(family, given) for given, family in straight]
        self._wanted = [as_searched(name) for name in wanted]

    def keeps_out(self, name: Name) -> bool:
        """Whether this name must not be searched, because it is, or is like, one that is protected."""
        searched = as_searched(name)
        if searched in self._exactly:
            return True
        if searched in self._wanted:
            return False
        return not self._sounds.isdisjoint(_sounds(name)) or self._would_be_found(name)

    def _would_be_found(self, name: Name) -> bool:
        """Whether a question with a protected name could be taken for this one, in whatever way matching forgives."""
        own = [_tokens(name)]
        both_ways = (compare_names(self._tokens, own), compare_names(own, self._tokens))
        return bool(self._tokens) and any(NameLevel.OTHER not in (each.given, each.family) for each in both_ways)


def _tokens(name: Name) -> NameTokens:
    return name_tokens(" ".join(name[0])), name_tokens(name[1])


def as_searched(name: Name) -> list[str]:
    """Its parts as questions meet them, in any order: matching finds given and family name exchanged too."""
    given, family = name
    return sorted(name_tokens(" ".join(given)) + name_tokens(family))


def _sounds(name: Name) -> Iterator[tuple[str, str]]:
    """The sounds of each given with each family name, in no order, nicknames resolved."""
    given = name_tokens(" ".join(name[0]))[:GIVEN_COMPARED]
    family = name_tokens(name[1])
    whole = ("".join(family),) if len(family) > 1 else ()
    for one in given:
        for other in (*family, *whole):
            for first in roots(one):
                for last in roots(other):
                    sounds = sorted((skeleton(first), skeleton(last)))
                    yield sounds[0], sounds[1]


def _places(address: dict[str, Any]) -> Iterator[str]:
    """Its postcode; and its lines with its city, because one of two sources may not know the postcode."""
    code = parse_postcode(address["postcode"])
    if code:
        yield f"postcode {code}"
    if any(address["lines"]):
        yield "lines " + _alphanumeric("".join((*address["lines"], address["city"])))


def _identifier(identifier: dict[str, Any]) -> str:
    system, value = identifier["system"], identifier["value"]
    number = nhs_number(value) if system == NHS_NUMBER_SYSTEM else None
    return f"{system} {number or _alphanumeric(value)}"


def _alphanumeric(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
