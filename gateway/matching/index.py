"""Searching the node's own register: keys to people, people to cards, cards to one graded match.

The tables are in database/sqlite/node/0002_match.sql. `find` is part of the one database hop of an answer: two or four
short statements, none unbounded.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from datetime import date

from gateway.database.contract import Statement, Work
from gateway.matching.keys import BYTES_PER_KEY, MAX_ASKED_KEYS, asked_keys, keys_of
from gateway.matching.record import Candidate, Card, asked_of, card_of
from gateway.matching.score import NOBODY, Match, grade
from gateway.wire.query import Subject

MAX_POSTINGS = 512  # people read under one key
MAX_COMPARED = 250  # people compared with one question
PEOPLE_PER_STATEMENT = 250

_ONE_KEY = f"SELECT person_id FROM (SELECT person_id FROM match_key WHERE key = ? LIMIT {MAX_POSTINGS}) AS k"
_BY_KEYS = ["", *(" UNION ALL ".join([_ONE_KEY] * n) for n in range(1, MAX_ASKED_KEYS + 1))]


def _with_marks(before: str, count: int, after: str = ")") -> str:
    """A statement with that many question marks; only constants and a number become part of it."""
    return before + ",".join("?" * count) + after


_CARDS = [
    _with_marks("SELECT person_id, card FROM person_card WHERE person_id IN (", n) for n in range(MAX_COMPARED + 1)
]
_KEYS = [
    _with_marks("SELECT person_id, keys FROM person_card WHERE person_id IN (", n)
    for n in range(PEOPLE_PER_STATEMENT + 1)
]
