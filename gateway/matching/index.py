"""Searching the node's own register: keys to people, people to cards, cards to one graded match.

The tables are in database/sqlite/node/0002_match.sql. `find` is part of the one database hop of an answer: two or four
short statements, none unbounded.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from datetime import date

from gateway.database.contract import Statement, Value, Work
from gateway.matching.keys import BYTES_PER_KEY, MAX_ASKED_KEYS, asked_keys, keys_of, namesake_keys
from gateway.matching.record import Candidate, Card, asked_of, card_of
from gateway.matching.score import NOBODY, Match, Scored, choose, namesakes_allowed, score
from gateway.wire.query import Subject

MAX_POSTINGS = 512  # people read under one key, as in the statement below
MAX_COMPARED = 250  # people compared with one question
PEOPLE_PER_STATEMENT = 250

_ONE_KEY = "SELECT person_id FROM (SELECT person_id FROM match_key WHERE key = ? LIMIT 512) AS k"
_BY_KEYS = ["", *(" UNION ALL ".join([_ONE_KEY] * n) for n in range(1, MAX_ASKED_KEYS + 1))]


def _with_marks(before: str, count: int, after: str = ")") -> str:
    """A statement with that many question marks; only constants and a number become part of it."""
    return before + ",".join("?" * count) + after


_CARDS = [
    _with_marks("SELECT person_id, card FROM person_card WHERE person_id IN (", n) for n in range(MAX_COMPARED + 1)
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
        # (1) People under the keys of this tier, those under most of its keys first.
        rows = yield Statement(_BY_KEYS[len(keys)], keys)
        hits = Counter(person_id for (person_id,) in rows if person_id not in seen)
        chosen = [person_id for person_id, _ in hits.most_common(MAX_COMPARED - len(seen))]
        complete = complete and len(rows) < MAX_POSTINGS and len(chosen) == len(hits)
        if not chosen:
            continue
        # (2) Their cards, compared.
        cards = yield Statement(_CARDS[len(chosen)], tuple(chosen))
        seen.update(cards)
        scored += score(asked, ((person_id, Card.from_bytes(card)) for person_id, card in cards), today=today)
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
