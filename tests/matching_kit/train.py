"""Learns gateway/matching/weights.json from generated people.

    python -m tests.matching_kit.train [--seed 99 --people 50000 --queries 8000] [--out FILE]

(1) m: how often each level comes up between a query and the record of the person who is meant: counted.
(2) u: how often between a query and anybody: not sampled from pairs, of which rare levels see only a handful, but
    counted over every distinct value of the register, each as often as it occurs.
(3) bits = log2(m / u), or log2(m) alone for levels that are weighed by the frequency of what agrees.
(4) What generated people cannot teach is assumed, and listed with the reason.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from math import log2
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from gateway.matching.compare import (
    BirthLevel,
    MiddleLevel,
    NameLevel,
    PlaceLevel,
    compare_births,
    compare_family,
    compare_given,
    compare_middle,
    compare_postcodes,
)
from gateway.matching.pair import compare_names
from gateway.matching.record import Asked, Card, asked_of, card_of
from tests.matching_kit.noise import AGE_REFERENCE_DATE
from tests.matching_kit.people import generate
from tests.matching_kit.run import candidate_of, subject_of

SEED: Final = 99  # of training alone: nothing is ever measured on it
SAMPLE: Final = 300  # queries that are compared with every distinct value, for u
FEWEST: Final = 0.5  # times that a level counts which never came up

BY_FREQUENCY: Final[dict[str, frozenset[StrEnum]]] = {
    "given": frozenset((NameLevel.EXACT, NameLevel.NICKNAME, NameLevel.CLOSE, NameLevel.SOUND, NameLevel.SECOND)),
    "family": frozenset((NameLevel.EXACT, NameLevel.PART, NameLevel.CLOSE, NameLevel.SOUND)),
    "middle": frozenset((MiddleLevel.EXACT,)),
    "postcode": frozenset((PlaceLevel.EXACT,)),
}
# Field and level: bits, and why they are not learnt.
ASSUMED: Final[dict[tuple[str, StrEnum], tuple[float, str]]] = {
    ("middle", MiddleLevel.EXACT): (-0.5, "generated queries never mistake a middle name; people do"),
    ("middle", MiddleLevel.ALIKE): (3.0, "generated queries never misspell a middle name"),
    ("middle", MiddleLevel.INITIAL): (2.5, "generated queries never shorten a middle name"),
    ("middle", MiddleLevel.REORDERED): (
        0.0,
        "generated queries never exchange given names; people do, and so do brothers",
    ),
    ("middle", MiddleLevel.OTHER): (-1.5, "generated queries never change a middle name; people do"),
    ("birth", BirthLevel.MONTH): (9.0, "generated queries never have year and month alone"),
    ("birth", BirthLevel.FIRST_OF_JANUARY): (12.0, "as often as systems write it for unknown, which differs"),
    ("birth", BirthLevel.YEAR_OFF): (-4.1, "generated queries never mistake a lone year; people do"),
    ("birth", BirthLevel.OTHER): (-11.2, "rests on a handful of queries with two mistakes in one date"),
    ("postcode", PlaceLevel.SECTOR): (0.0, "generated people who move go anywhere; real ones often stay near"),
}

L = TypeVar("L", bound=StrEnum)
Shares = dict[StrEnum, float]


def main() -> None:
    """Read the command line, learn, and write the file."""
    parser = argparse.ArgumentParser(description="Learn the weights of matching from generated people.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=8_000)
    parser.add_argument("--out", type=Path, default=Path("gateway/matching/weights.json"))
    options = parser.parse_args()
    weights = learn(options.people, options.queries, options.seed)
    options.out.write_bytes(orjson.dumps(weights, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.write(f"{options.out}: learnt from {options.queries} queries about {options.people} people\n")


def learn(people: int, queries: int, seed: int) -> dict[str, Any]:
    """The content of weights.json; the same arguments give the same numbers."""
    register, asked_about = generate(people, queries, seed)
    cards = {person.id or "": card_of(candidate_of(_row(person))) for person in register}
    asked = [(asked_of(subject_of(query), today=AGE_REFERENCE_DATE), query["truth"]) for query in asked_about]
    meant = [(question, cards[truth]) for question, truth in asked if truth is not None]
    sample = random.Random(seed).sample([question for question, _ in asked], min(SAMPLE, len(asked)))
    fields = {
        "given": _names(meant, sample, cards.values(), part=0),
        "family": _names(meant, sample, cards.values(), part=1),
        "middle": (_middles(meant), {}),
        "birth": _births(meant, sample, cards.values()),
        "postcode": _postcodes(meant, sample, cards.values()),
    }
    exchanged = sum(compare_names(question.names, card.names).exchanged for question, card in meant) / len(meant)
    return {
        "provenance": {
            "made_by": "python -m tests.matching_kit.train",
            "seed": seed,
            "people": people,
            "queries": queries,
            "assumed": [
                {"field": field, "level": level.value, "because": reason}
                for (field, level), (_, reason) in ASSUMED.items()
            ],
        },
        **{field: _bits(field, m, u) for field, (m, u) in fields.items()},
        "exchanged": round(log2(exchanged / (1 - exchanged)), 1),
    }


def _row(person: Any) -> dict[str, str]:
    return {
        "given": person.given,
        "middle": person.middle,
        "family": person.family,
        "birth_date": person.birth_date.isoformat(),
        "postcode": person.postcode,
    }


def _names(
    meant: Sequence[tuple[Asked, Card]], sample: Sequence[Asked], cards: Iterable[Card], *, part: int
) -> tuple[Shares, Shares]:
    """m and u of the given (`part` 0) or family name; exchanged ones are learnt apart."""
    compare: Callable[..., NameLevel] = compare_family if part else compare_given
    known = [compare_names(question.names, card.names) for question, card in meant]
    m = _shares([names.family if part else names.given for names in known if not names.exchanged], NameLevel.MISSING)
    stored = Counter(card.names[0][part][: None if part else 1] for card in cards if card.names)
    u = _against_all(
        [question.names[0][part] for question in sample if question.names], stored, compare, NameLevel.MISSING
    )
    return m, u


def _middles(meant: Sequence[tuple[Asked, Card]]) -> Shares:
    pairs = [(question.names[0][0], card.names[0][0]) for question, card in meant if question.names and card.names]
    levels = [compare_middle(asked, stored) for asked, stored in pairs if asked[:1] == stored[:1]]
    return _shares(levels, MiddleLevel.MISSING)


def _births(
    meant: Sequence[tuple[Asked, Card]], sample: Sequence[Asked], cards: Iterable[Card]
) -> tuple[Shares, Shares]:
    """Full dates, lone years and ages are learnt each among its own."""
    stored = Counter(card.births[0] for card in cards if card.births)
    m: Shares = {}
    u: Shares = {}
    for is_kind in (_has_date, _has_year, _has_age):
        m |= _shares(
            [_birth_level(question, card.births) for question, card in meant if is_kind(question)], BirthLevel.MISSING
        )
        u |= _against_all(
            [question for question in sample if is_kind(question)],
            stored,
            lambda question, born: _birth_level(question, (born,)),
            BirthLevel.MISSING,
        )
    return m, u


def _has_date(asked: Asked) -> bool:
    return asked.birth is not None and asked.birth.full


def _has_year(asked: Asked) -> bool:
    return asked.birth is not None and not asked.birth.full


def _has_age(asked: Asked) -> bool:
    return asked.age is not None


def _birth_level(asked: Asked, births: Iterable[Any]) -> BirthLevel:
    return compare_births(asked.birth, asked.age, births, AGE_REFERENCE_DATE)[0]


def _postcodes(
    meant: Sequence[tuple[Asked, Card]], sample: Sequence[Asked], cards: Iterable[Card]
) -> tuple[Shares, Shares]:
    m = _shares([compare_postcodes(question.postcode, card.postcodes) for question, card in meant], PlaceLevel.MISSING)
    stored = Counter(card.postcodes[0] for card in cards if card.postcodes)
    u = _against_all(
        [question.postcode for question in sample],
        stored,
        lambda asked, postcode: compare_postcodes(asked, (postcode,)),
        PlaceLevel.MISSING,
    )
    return m, u


def _against_all(
    asked: Iterable[Any], stored: Mapping[Any, int], compare: Callable[[Any, Any], L], missing: L
) -> Shares:
    """How often each level comes up between these queries and everybody, value by value."""
    found: Counter[L] = Counter()
    for question in asked:
        for value, people in stored.items():
            found[compare(question, value)] += people
    return _share_of(found, missing)


def _shares(levels: Iterable[L], missing: L) -> Shares:
    return _share_of(Counter(levels), missing)


def _share_of(found: Mapping[L, int], missing: L) -> Shares:
    """Shares among the queries in which the field was there; levels that never came up count FEWEST times."""
    total = sum(count for level, count in found.items() if level is not missing)
    return {level: max(found.get(level, 0), FEWEST) / max(total, 1) for level in type(missing) if found.get(level)}


def _bits(field: str, m: Shares, u: Shares) -> dict[str, dict[str, float]]:
    fixed: dict[str, float] = {}
    by_frequency: dict[str, float] = {}
    level_type = {"given": NameLevel, "family": NameLevel, "middle": MiddleLevel, "birth": BirthLevel}.get(
        field, PlaceLevel
    )
    for level in level_type:
        if level in BY_FREQUENCY.get(field, ()):
            assumed = ASSUMED.get((field, level))
            by_frequency[level.value] = round(log2(m[level]), 1) if assumed is None else assumed[0]
        elif (field, level) in ASSUMED:
            fixed[level.value] = ASSUMED[field, level][0]
        elif level.name == "MISSING":
            fixed[level.value] = 0.0
        elif level in m or level in u:
            fixed[level.value] = round(log2(m.get(level, FEWEST / 4_000) / u.get(level, 1e-7)), 1)
    return {"by_frequency": by_frequency, "bits": fixed}


if __name__ == "__main__":
    main()
