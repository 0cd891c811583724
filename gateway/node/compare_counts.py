"""Which answers were sent and never came: two members' counts of one traffic, side by side (docs/ledger.md,
"Reconciling").

Only whoever carries an answer can lose it, and a question travels through its asker's hub alone. So where a member says
that it answered more than the asker has, the asker's hub is named: or one of the two says what is not so, and its
ledger will not bear it out. What cannot be so on the face of it is held against the member that says it, not the hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consent_ledger.exchange import HourCount
from gateway.wire.counts import Counts, Hour

_NOTHING = HourCount()
_NO_HOUR = Hour(answered=0, received=0, unfinished=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Answers of `answerer` to `asker` of one hour that did not arrive through `hub`: `answered` > `received`.

    `unfinished` questions may hide as many more, and excuse as many.
    """

    hub: str
    hour: int
    asker: str
    answerer: str
    answered: int
    received: int
    unfinished: int

    @property
    def missing(self) -> int:
        """At least so many."""
        return self.answered - self.received - self.unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class Overstated:
    """`member` says that it answered more questions of one hour than it was asked: no hub is to blame for that."""

    member: str
    hour: int
    answered: int
    asked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One member's statement against our record; `answers`, both ways, were said to be sent, in hours until `until`."""

    member: str
    until: int
    answers: int
    gaps: tuple[Gap, ...]
    overstated: tuple[Overstated, ...]


def compare(mine: Mapping[int, HourCount], theirs: Counts, *, hub: str) -> Compared:
    """Our counts with a member against its statement to us; `hub` is the one by which we ask.

    Hours beyond the statement's end are left for another time: there an answer may still be on its way.
    """
    gaps: list[Gap] = []
    overstated: list[Overstated] = []
    answers = 0
    for hour in sorted({hour for hour in mine if theirs.since <= hour < theirs.until} | theirs.hours.keys()):
        ours, said = mine.get(hour, _NOTHING), theirs.hours.get(hour, _NO_HOUR)
        answers += said.answered + ours.answered
        if said.answered > ours.asked:
            overstated.append(Overstated(member=theirs.issuer, hour=hour, answered=said.answered, asked=ours.asked))
        else:
            gaps.append(_to_us(hour, ours, theirs, said, hub=hub))
        gaps.append(_from_us(hour, ours, theirs, said))
    return Compared(
        member=theirs.issuer,
        until=theirs.until,
        answers=answers,
        gaps=tuple(gap for gap in gaps if gap.missing > 0),
        overstated=tuple(overstated),
    )


def _to_us(hour: int, ours: HourCount, theirs: Counts, said: Hour, *, hub: str) -> Gap:
    return Gap(
        hub=hub,
        hour=hour,
        asker=theirs.reader,
        answerer=theirs.issuer,
        answered=said.answered,
        received=ours.received,
        unfinished=ours.unfinished,
    )


def _from_us(hour: int, ours: HourCount, theirs: Counts, said: Hour) -> Gap:
    return Gap(
        hub=theirs.hub,
        hour=hour,
        asker=theirs.issuer,
        answerer=theirs.reader,
        answered=ours.answered,
        received=said.received,
        unfinished=said.unfinished,
    )
