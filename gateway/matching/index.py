"""Searching the node's own register: keys to people, people to cards, cards to one graded match.

The tables are in database/sqlite/node/0002_match.sql. `find` is part of the one database hop of an answer: mostly one
or two short statements, at most seven, none unbounded.
"""

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from gateway.database.contract import Statement, Value, Work
from gateway.matching.keys import BYTES_PER_KEY, MAX_ASKED_KEYS, asked_keys, keys_of, namesake_keys
from gateway.matching.record import Candidate, Card, StoredCard, asked_of, card_of
from gateway.matching.score import NOBODY, Match, Scored, choose, namesakes_allowed, score
from gateway.wire.query import Subject

MAX_POSTINGS = 512  # people read under one key, as in the statement below
MAX_COMPARED = 250  # people compared with one question
FEW = 50  # rows that one statement reads with their cards, as in the statement below; more are a crowd
PEOPLE_PER_STATEMENT = 250

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
        ") LIMIT 50",
    )
    for n in range(MAX_ASKED_KEYS + 1)
]
_NAMESAKES = [  # one more than are ever allowed (score.NAMESAKES_BY_DOUBTS)
    _with_marks("SELECT DISTINCT person_id FROM match_key WHERE key IN (", n, ") LIMIT 25")
    for n in range(MAX_ASKED_KEYS + 1)
]
_KEYS = [
    _with_marks("SELECT person_id, keys FROM person_card WHERE person_id IN (", n)
    for n in range(PEOPLE_PER_STATEMENT + 1)
]


def index_people(people: Sequence[tuple[int, Candidate]]) -> Work[None]:
    """Make people findable, or findable by what is now known of them. Takes any batch size; idempotent.

    Of one id given twice the last counts.
    """
    cards = {person_id: card_of(candidate) for person_id, candidate in people}
    keys = {person_id: keys_of(card) for person_id, card in cards.items()}
    yield from _remove_keys(list(cards))
    new: list[tuple[Value, ...]] = [(key, person_id) for person_id, own in keys.items() for key in own]
    new.sort()  # neighbours in the tree one after the other: half the time in a large register
    yield Statement("INSERT INTO match_key (key, person_id) VALUES (?, ?)", new)
    rows: list[tuple[Value, ...]] = [(id_, card.to_bytes(), _pack(keys[id_])) for id_, card in cards.items()]
    yield Statement(
        "INSERT INTO person_card (person_id, card, keys) VALUES (?, ?, ?)"
        " ON CONFLICT (person_id) DO UPDATE SET card = excluded.card, keys = excluded.keys",
        rows,
    )


def unindex(person_ids: Sequence[int]) -> Work[None]:
    """Make people unfindable: their keys and cards are removed. Unknown ids are no error."""
    yield from _remove_keys(person_ids)
    gone: list[tuple[Value, ...]] = [(person_id,) for person_id in person_ids]
    yield Statement("DELETE FROM person_card WHERE person_id = ?", gone)


def _remove_keys(person_ids: Sequence[int]) -> Work[None]:
    for start in range(0, len(person_ids), PEOPLE_PER_STATEMENT):
        some = person_ids[start : start + PEOPLE_PER_STATEMENT]
        rows = yield Statement(_KEYS[len(some)], tuple(some))
        old: list[tuple[Value, ...]] = [(key, person_id) for person_id, packed in rows for key in _unpack(packed)]
        if old:
            yield Statement("DELETE FROM match_key WHERE key = ? AND person_id = ?", old)


def _pack(keys: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(keys)}q", *keys)


def _unpack(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(packed) // BYTES_PER_KEY}q", packed)


def find(subject: Subject, *, today: date) -> Work[Match]:
    """The one person whom the question means, if there is exactly one (`disclosable`). Never raises on bad input."""
    asked = asked_of(subject, today=today)
    match = NOBODY
    seen: dict[int, bytes] = {}
    scored: list[Scored] = []
    complete = True
    for keys in asked_keys(asked, today):
        if not keys:
            continue
        # (1) People under the keys of this tier, with their cards; of a crowd, those under most of its keys.
        cards, everybody = yield from _cards_of(keys, seen)
        complete = complete and everybody
        if not cards:
            continue
        # (2) The cards, compared.
        seen |= cards
        scored += score(asked, ((person_id, StoredCard(card)) for person_id, card in cards.items()), today=today)
        # (3) Choose; whoever could rival an exact birth date stands in the first tier already.
        match = choose(scored, complete=complete)
        if match.settled:
            break
    # (4) Is the name too common for what was asked?
    if match.disclosable and match.best is not None:
        allowed = namesakes_allowed(match.best.levels)
        if allowed is not None:
            keys = namesake_keys(Card.from_bytes(seen[match.best.person_id]))
            namesakes = yield Statement(_NAMESAKES[len(keys)], keys)
            if len(namesakes) > allowed:
                return match.doubtful()
    return match


def _cards_of(keys: tuple[int, ...], seen: Mapping[int, bytes]) -> Work[tuple[dict[int, bytes], bool]]:
    """Cards of those who have one of the keys and are not `seen`; False if some were left out."""
    at_hand: dict[int, bytes] = {}
    if len(seen) + FEW <= MAX_COMPARED:
        rows = yield Statement(_FEW_CARDS[len(keys)], keys)
        at_hand = {person_id: card for person_id, card in rows if person_id not in seen}
        if len(rows) < FEW:
            return at_hand, True
    # A crowd: those under most of the keys first, as many as may still be compared.
    rows = yield Statement(_BY_KEYS[len(keys)], keys)
    hits = Counter(person_id for (person_id,) in rows if person_id not in seen)
    chosen = [person_id for person_id, _ in hits.most_common(MAX_COMPARED - len(seen))]
    unread = [person_id for person_id in chosen if person_id not in at_hand]
    if unread:
        at_hand.update((yield Statement(_CARDS[len(unread)], tuple(unread))))
    cards = {person_id: at_hand[person_id] for person_id in chosen if person_id in at_hand}
    return cards, len(rows) < MAX_POSTINGS and len(chosen) == len(hits)
