"""Which agencies have answered the searches made on these pages since the node was started: counts in memory alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.node.results import MemberOutcome, MemberResult

_NOT_REACHED = {MemberOutcome.UNREACHABLE, MemberOutcome.NOT_TRIED}


@dataclass(slots=True)
class Answers:
    """One agency: how often it was asked, answered, was late or too busy, was not reached, sent what is not valid.

    `last` is when it last answered, epoch seconds.
    """

    asked: int = 0
    answered: int = 0
    late: int = 0
    not_reached: int = 0
    invalid: int = 0
    last: float | None = None


class Coverage:
    """By member id; there are no more than members that were asked."""

    def __init__(self, since: float) -> None:
        """`since`: when counting began."""
        self.since = since
        self.searches = 0
        self._answers: dict[str, Answers] = {}

    def take(self, results: Iterable[MemberResult], now: float) -> None:
        """Count a search that is over."""
        self.searches += 1
        for result in results:
            answers = self._answers.setdefault(result.member.id, Answers())
            answers.asked += 1
            if result.outcome.answered:
                answers.answered += 1
                answers.last = now
            elif result.outcome in _NOT_REACHED:
                answers.not_reached += 1
            elif result.outcome is MemberOutcome.INVALID_ANSWER:
                answers.invalid += 1
            else:
                answers.late += 1

    def of(self, member: str) -> Answers:
        """One agency's counts, all 0 if it was never asked."""
        return self._answers.get(member, Answers())
