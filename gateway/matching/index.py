"""Searching the node's own register: keys to people, people to cards, cards to one graded match.

The tables are in database/sql/sqlite/node/0002_match.sql. `find` is part of the one database hop of an answer: mostly
one or two short statements, at most ten, none unbounded.
"""

import struct
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import date

from gateway.database.contract import Statement, Value, Work
from gateway.matching.compare import BirthLevel
from gateway.matching.frequency import EVERYBODY, Frequencies, classes_of
from gateway.matching.keys import BYTES_PER_KEY, MAX_ASKED_KEYS, MAX_LAST_KEYS, Tier, asked_keys, keys_of
from gateway.matching.pair import Pair
from gateway.matching.record import Asked, Candidate, StoredCard, asked_of, card_of
from gateway.matching.score import (
    DEFAULT_THRESHOLDS,
    NOBODY,
    Match,
    Thresholds,
    Weighed,
    choose,
    pairs_of,
    weigh_pairs,
)
from gateway.wire.query import Subject
from mappings.vocabulary import MatchGrade

MAX_POSTINGS = 512  # people read under one key, as in the statement below
MAX_COMPARED = 150  # people compared with one question
MAX_NAME_PAIRS = 640  # an asked name beside one on record; more only where all have many names
FEW = 50  # rows that one statement reads with their cards; more are a crowd
FEW_AT_LAST = 90  # the same of the last tier, which reads no crowds
PEOPLE_PER_STATEMENT = 250
CLASSES_PER_STATEMENT = 250

_ONE_KEY = "SELECT person_id FROM (SELECT person_id FROM match_key WHERE key = ? LIMIT 512) AS k"
_BY_KEYS = ["", *(" UNION ALL ".join([_ONE_KEY] * n) for n in range(1, MAX_ASKED_KEYS + 1))]


def _with_marks(before: str, count: int, after: str = ")") -> str:
    """A statement with that many question marks; only constants and a number become part of it."""
    return before + ",".join("?" * count) + after


_CARDS = [
    _with_marks("SELECT person_id, card FROM person_card WHERE person_id IN (", n) for n in range(MAX_COMPARED + 1)
]
_FEW_CARDS = [  # CROSS: the keys first, then their people
    _with_marks(
        "SELECT k.person_id, c.card FROM match_key k CROSS JOIN person_card c "
        "WHERE c.person_id = k.person_id AND k.key IN (",
        n,
        ") LIMIT ?",
    )
    for n in range(MAX_LAST_KEYS + 1)
]
_FREQUENCIES = [
    _with_marks("SELECT class, people FROM name_frequency WHERE class IN (", n)
    for n in range(CLASSES_PER_STATEMENT + 1)
]
_KEYS = [
    _with_marks("SELECT person_id, keys, classes FROM person_card WHERE person_id IN (", n)
    for n in range(PEOPLE_PER_STATEMENT + 1)
]


def index_people(people: Sequence[tuple[int, Candidate]]) -> Work[None]:
    """Make people findable, or findable by what is now known of them. Takes any batch size; idempotent.

    Of one id given twice the last counts.
    """
    cards = {person_id: card_of(candidate) for person_id, candidate in people}
    keys = {person_id: keys_of(card) for person_id, card in cards.items()}
    classes = {person_id: classes_of(card) for person_id, card in cards.items()}
    counted = yield from _take_out(list(cards))
    for own_classes in classes.values():
        counted.update(own_classes)
    yield from _count(counted)
    new: list[tuple[Value, ...]] = [(key, person_id) for person_id, own in keys.items() for key in own]
    new.sort()  # neighbours in the tree one after the other: half the time in a large register
    yield Statement("INSERT INTO match_key (key, person_id) VALUES (?, ?)", new)
    rows: list[tuple[Value, ...]] = [
        (id_, card.to_bytes(), _pack(keys[id_]), _pack(classes[id_])) for id_, card in cards.items()
    ]
    yield Statement(
        "INSERT INTO person_card (person_id, card, keys, classes) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (person_id) DO UPDATE SET"
        " card = excluded.card, keys = excluded.keys, classes = excluded.classes",
        rows,
    )


def unindex(person_ids: Sequence[int]) -> Work[None]:
    """Make people unfindable: their keys and cards are removed. Unknown ids are no error."""
    yield from _count((yield from _take_out(person_ids)))
    gone: list[tuple[Value, ...]] = [(person_id,) for person_id in person_ids]
    yield Statement("DELETE FROM person_card WHERE person_id = ?", gone)


def _take_out(person_ids: Sequence[int]) -> Work[Counter[int]]:
    """Remove the keys of those who have any; returns the classes in which they no longer count, each as a negative."""
    counted: Counter[int] = Counter()
    person_ids = list(dict.fromkeys(person_ids))
    for start in range(0, len(person_ids), PEOPLE_PER_STATEMENT):
        some = person_ids[start : start + PEOPLE_PER_STATEMENT]
        rows = yield Statement(_KEYS[len(some)], tuple(some))
        old: list[tuple[Value, ...]] = [(key, person_id) for person_id, packed, _ in rows for key in _unpack(packed)]
        if old:
            yield Statement("DELETE FROM match_key WHERE key = ? AND person_id = ?", old)
        for _, _, packed in rows:
            counted.subtract(_unpack(packed))
    return counted


def _count(changes: Mapping[int, int]) -> Work[None]:
    """Add to (or take from) the number of people in each class."""
    changed: list[tuple[Value, ...]] = sorted((of, people) for of, people in changes.items() if people)
    if changed:
        yield Statement(
            "INSERT INTO name_frequency (class, people) VALUES (?, ?)"
            " ON CONFLICT (class) DO UPDATE SET people = name_frequency.people + excluded.people",
            changed,
        )
    fewer: list[tuple[Value, ...]] = [(of,) for of, people in changed if people < 0]  # type: ignore[operator]
    if fewer:
        yield Statement("DELETE FROM name_frequency WHERE class = ? AND people <= 0", fewer)


def _pack(keys: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(keys)}q", *keys)


def _unpack(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(packed) // BYTES_PER_KEY}q", packed)


def find(subject: Subject, *, today: date, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Work[Match]:
    """The one person whom the question means, if there is exactly one (`disclosable`). Never raises on bad input."""
    return find_asked(asked_of(subject, today=today), today=today, thresholds=thresholds)


def find_asked(asked: Asked, *, today: date, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Work[Match]:
    """As `find`, for whoever has normalised the question already."""
    match = NOBODY
    seen: set[int] = set()
    weighed: list[Weighed] = []
    counts: dict[int, int] = {}
    complete, names_left = True, MAX_NAME_PAIRS
    for tier in asked_keys(asked, today):
        if not tier.crowd and _is_found(match):
            break
        if not tier.keys:
            continue
        # (1) People under the keys of this tier, with their cards; of a crowd, those under most of its keys.
        cards, everybody = yield from _cards_of(tier, seen)
        seen.update(cards)
        # (2) The cards, compared; nobody's many names take the time of all questions.
        stored, names_left = _within(names_left, cards, len(asked.names))
        everybody = everybody and tier.whole and len(stored) == len(cards)
        # Who is found in the first tiers agrees in more than the look of a name, and so would a rival.
        complete = complete and (everybody or not tier.crowd)
        new = pairs_of(asked, stored, today=today)
        if not new:
            continue
        # (3) How common what agrees is.
        wanted = {of for _, pair in new for of in pair.rarity.classes()} | {EVERYBODY}
        counts |= yield from read_counts(wanted - counts.keys())
        # (4) Choose.
        frequencies = Frequencies(counts)
        weighed += weigh_pairs(new, frequencies)
        match = choose(weighed, frequencies, thresholds=thresholds, complete=complete, names_asked=len(asked.names))
        if not (everybody or tier.crowd) and match.best is not None and match.best.person_id in cards:
            match = replace(match, disclosable=False)  # a rival may stand where this one was found
        if match.settled:
            break
    return match


def people_near(asked: Asked, *, today: date) -> Work[list[int]]:
    """All who may be meant, the likeliest first: for whoever chooses among some of them by other rules than `find`."""
    seen: set[int] = set()
    pairs: list[tuple[int, Pair]] = []
    names_left = MAX_NAME_PAIRS
    for tier in asked_keys(asked, today):
        if tier.keys:
            cards, _ = yield from _cards_of(tier, seen)
            seen.update(cards)
            stored, names_left = _within(names_left, cards, len(asked.names))
            pairs += pairs_of(asked, stored, today=today)
    if not pairs:
        return []
    counts = yield from read_counts({of for _, pair in pairs for of in pair.rarity.classes()} | {EVERYBODY})
    weighed = weigh_pairs(pairs, Frequencies(counts))
    return [each.person_id for each in sorted(weighed, key=lambda each: (-each.total, each.person_id))]


def _is_found(match: Match) -> bool:
    """Whether weaker keys have nothing to add: all is silent anyway, or a rival would be born on the day asked."""
    if match.best is None or match.best.grade is MatchGrade.CERTAINLY_NOT:
        return False
    return not match.disclosable or match.best.levels.birth is BirthLevel.EXACT


def _within(names_left: int, cards: Mapping[int, bytes], names_asked: int) -> tuple[list[tuple[int, StoredCard]], int]:
    """As many of these people as have names for `names_left` comparisons, and how many of these then are left."""
    stored: list[tuple[int, StoredCard]] = []
    for person_id, packed in cards.items():
        card = StoredCard(packed)
        names_left -= len(card.names) * names_asked
        if names_left < 0:
            break
        stored.append((person_id, card))
    return stored, names_left


def read_counts(classes: Set[int]) -> Work[dict[int, int]]:
    """How many people count in each of these classes (frequency.py)."""
    counts = dict.fromkeys(classes, 0)
    wanted = sorted(classes)
    for start in range(0, len(wanted), CLASSES_PER_STATEMENT):
        some = wanted[start : start + CLASSES_PER_STATEMENT]
        counts.update((yield Statement(_FREQUENCIES[len(some)], tuple(some))))
    return counts


def _cards_of(tier: Tier, seen: Set[int]) -> Work[tuple[dict[int, bytes], bool]]:
    """Cards of those who have one of the keys and are not `seen`; False if some were left out."""
    at_hand: dict[int, bytes] = {}
    keys = tier.keys
    few = FEW if tier.crowd else FEW_AT_LAST
    if len(seen) + few <= MAX_COMPARED:
        rows = yield Statement(_FEW_CARDS[len(keys)], (*keys, few))
        at_hand = {person_id: card for person_id, card in rows if person_id not in seen}
        if len(rows) < few:
            return at_hand, True
    if not tier.crowd:
        return at_hand, False
    # A crowd: those under most of the keys first, as many as may still be compared.
    rows = yield Statement(_BY_KEYS[len(keys)], keys)
    hits = Counter(person_id for (person_id,) in rows if person_id not in seen)
    chosen = [person_id for person_id, _ in hits.most_common(MAX_COMPARED - len(seen))]
    unread = [person_id for person_id in chosen if person_id not in at_hand]
    if unread:
        at_hand.update((yield Statement(_CARDS[len(unread)], tuple(unread))))
    cards = {person_id: at_hand[person_id] for person_id in chosen if person_id in at_hand}
    return cards, len(rows) < MAX_POSTINGS and len(chosen) == len(hits)
