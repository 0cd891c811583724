"""Searching the node's own register: keys to people, people to cards, cards to one graded match."""

from collections.abc import Sequence
from datetime import date

from gateway.database.contract import Work
from gateway.matching.record import Candidate
from gateway.matching.score import Match
from gateway.wire.query import Subject


def index_people(people: Sequence[tuple[int, Candidate]]) -> Work[None]:
    """Make people findable, or findable by what is now known of them. Takes any batch size; idempotent."""
    raise NotImplementedError
    yield


def unindex(person_ids: Sequence[int]) -> Work[None]:
    """Make people unfindable: their keys and cards are removed. Call before deleting the person."""
    raise NotImplementedError
    yield


def find(subject: Subject, *, today: date) -> Work[Match]:
    """The one person whom the question means, if there is exactly one (`disclosable`). Never raises on bad input."""
    raise NotImplementedError
    yield
