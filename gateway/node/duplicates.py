"""Which people of this node's own register may be one person known twice: reads only, and keeps nothing.

Everybody is put as a question to those who come after them in the register and share most matching keys with them. So
each pair is looked at once, and memory holds one batch and the best pairs.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from heapq import heappush, heappushpop
from typing import TypeVar

from gateway.database.contract import Database, Row, Statement, Work
from gateway.matching.frequency import EVERYBODY, Frequencies
from gateway.matching.index import read_counts
from gateway.matching.keys import keys_of
from gateway.matching.record import MAX_ASKED_NAMES, Asked, Card
from gateway.matching.score import choose, pairs_of, weigh_pairs
from gateway.node.corrections import may_join, names_of
from gateway.node.grouping import Pair
from gateway.node.linking import pair_of
from gateway.node.rows import chunks, select_in
from gateway.node.same_person import candidate_of
from mappings.vocabulary import MatchGrade

BATCH_PEOPLE = 100
MAX_NEIGHBOURS = 64  # people read under one key
MAX_COMPARED = 20  # people compared with one: those who share most of their keys
MIN_SHARED_KEYS = 2  # who is probably the same agrees in more than one detail; a birth date alone is shared by many

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Duplicate:
    """Two people who may be one, by `same_person` ids; how each field compares, in words that hold nothing stored."""

    score: float
    pair: Pair
    grade: MatchGrade
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """The likeliest pairs, best first; `more` were found and left out. `keys` has SOURCE:KEY of each person."""

    pairs: tuple[Duplicate, ...]
    more: int
    keys: dict[int, str]


# Told after each batch how many people were looked at, of how many.
Progress = Callable[[int, int], None]


async def find_duplicates(database: Database, *, today: date, limit: int, progress: Progress) -> Duplicates:
    """Go through the whole register; at most `limit` pairs are kept. Raises StorageError."""
    total = await database.read(_count())
    best: list[Duplicate] = []
    seen = found = after = 0
    while True:
        looked_at, duplicates, last = await database.read(_batch(after, today))
        if not looked_at:
            break
        for duplicate in duplicates:
            if len(best) < limit:
                heappush(best, duplicate)
            else:
                heappushpop(best, duplicate)
        after, seen, found = last, seen + looked_at, found + len(duplicates)
        progress(seen, max(seen, total))
    keys = await database.read(names_of({person for duplicate in best for person in duplicate.pair}))
    return Duplicates(pairs=tuple(sorted(best, reverse=True)), more=found - len(best), keys=keys)


def written_names(people: Sequence[int]) -> Work[dict[int, str]]:
    """A name of each person, as a source writes it; never one that is protected."""
    rows: dict[int, list[Row]] = {person: [] for person in people}
    for part in chunks(list(rows)):
        for person, gone, *row in (yield Statement(select_in(_DESCRIBED, "same_person"), part)):
            if not gone:
                rows[person].append(tuple(row))
    names = {person: candidate_of(of_person).names for person, of_person in rows.items()}
    return {person: " ".join((*own[0][0], own[0][1])) if own else "" for person, own in names.items()}


_DESCRIBED = "same_person, hash IS NULL, names, birth_date, addresses, identifiers FROM person"
_ONE_KEY = "SELECT person_id FROM (SELECT person_id FROM match_key WHERE key = ? AND person_id > ? LIMIT ?) AS k"


@cache
def _by_keys(count: int) -> str:
    return " UNION ALL ".join([_ONE_KEY] * count)


def _count() -> Work[int]:
    ((count,),) = yield Statement("SELECT count(*) FROM person_card")
    return int(count)


def _batch(after: int, today: date) -> Work[tuple[int, list[Duplicate], int]]:
    """The next people: how many, the duplicates among those behind each of them, and the last one's id."""
    rows = yield Statement(
        "SELECT person_id, card FROM person_card WHERE person_id > ? ORDER BY person_id LIMIT ?", (after, BATCH_PEOPLE)
    )
    # (1) who is worth comparing with each
    cards = {person: Card.from_bytes(card) for person, card in rows}
    near: dict[int, list[int]] = {}
    for person, card in cards.items():
        keys = keys_of(card)
        if keys:
            hits = yield Statement(
                _by_keys(len(keys)), tuple(value for key in keys for value in (key, person, MAX_NEIGHBOURS))
            )
            shared = Counter(other for (other,) in hits).most_common(MAX_COMPARED)
            near[person] = [other for other, count in shared if count >= MIN_SHARED_KEYS]
    # (2) their cards
    others = dict(cards)
    for part in chunks(sorted({other for found in near.values() for other in found} - cards.keys())):
        found_cards = yield Statement(select_in("person_id, card FROM person_card", "person_id"), part)
        others.update((person, Card.from_bytes(card)) for person, card in found_cards)
    # (3) each pair compared, and weighed by how common in this register is what agrees
    pairs = [
        (person, pair)
        for person, found in near.items()
        for other in found
        if other in others
        for pair in pairs_of(_question(cards[person], others[other]), [(other, others[other])], today=today)
    ]
    classes = {of for _, (_, pair) in pairs for of in pair.rarity.classes()} | {EVERYBODY}
    frequencies = Frequencies((yield from read_counts(classes)))
    # (4) those who are probably one, and may become so
    duplicates: list[Duplicate] = []
    for person, pair in pairs:
        best = choose(weigh_pairs([pair], frequencies), frequencies).best
        if best is not None and best.grade.rank >= MatchGrade.PROBABLE.rank:
            both = pair_of(person, best.person_id)
            fields = tuple((field.field, str(field.level)) for field in best.explanation)
            duplicate = Duplicate(best.score, both, best.grade, fields)
            duplicates += [duplicate] if (yield from may_join(both)) else []
    return len(rows), duplicates, rows[-1][0] if rows else after


def _question(one: Card, other: Card) -> Asked:
    """What somebody would ask who has one's record before them; of several values, one that the other has too."""
    return Asked(
        names=one.names[:MAX_ASKED_NAMES],
        birth=_shared(one.births, other.births),
        age=None,
        postcode=_shared(one.postcodes, other.postcodes),
        nhs_number=_shared(one.nhs_numbers, other.nhs_numbers),
        number_failed=False,
    )


def _shared(ours: Sequence[T], theirs: Sequence[T]) -> T | None:
    if len(ours) > 1:
        return next((value for value in ours if value in theirs), ours[0])
    return ours[0] if ours else None
