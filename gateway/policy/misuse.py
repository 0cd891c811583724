"""What in a week's questions an officer should look at: plain records in, items out. Pure; decides nothing.

Each function knows one pattern and is handed questions as they were asked or answered at one node. An item names a
practitioner and ledger entries, never a client; that it is there means that somebody should ask, not that anybody has
done wrong. What a node cannot know (whom a practitioner is related to, where they live) no pattern here can see.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum

_SATURDAY = 5  # of date.weekday()


class Pattern(StrEnum):
    """What stands out."""

    ONESELF = "own-name"
    COLLEAGUE = "colleague"
    FAMILY_NAME = "same-family-name"
    BURST = "burst"
    OUT_OF_HOURS = "out-of-hours"
    NO_CONTACT = "no-contact"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A name, normalised: `given` the first given name and what it is short for, `family` the parts of the other."""

    given: frozenset[str]
    family: frozenset[str]

    def same_family(self, other: "PersonName") -> bool:
        """Whether both have this family name."""
        return bool(self.family) and self.family == other.family

    def same(self, other: "PersonName") -> bool:
        """Whether both may be one person's."""
        return self.same_family(other) and bool(self.given & other.given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One question on record. `person` is equal for questions about one person, as far as this node can tell.

    `asked_here`: put by this node's own practitioner; else answered here. `names` are those asked about, or of the
    person found; empty if this node does not know. `followed_up`: None if it is too early or cannot be known.
    """

    seq: int
    at: float
    asked_here: bool
    member: str
    practitioner: str
    asker: PersonName = field(repr=False)
    names: tuple[PersonName, ...] = field(default=(), repr=False)
    person: str = field(repr=False)
    withheld: bool = False
    followed_up: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something to look at: the entries of one practitioner that show one pattern."""

    pattern: Pattern
    asked_here: bool
    member: str
    practitioner: str
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """From when on something stands out. Hours are the day's, in `zone`; Saturdays and Sundays have none."""

    zone: tzinfo
    day_starts: int = 7
    day_ends: int = 20
    burst_people: int = 20
    burst_seconds: float = 600
    people_out_of_hours: int = 10
    searches_without_contact: int = 3


def weekly_items(searches: Sequence[Search], colleagues: Collection[PersonName], habits: Habits) -> list[Item]:
    """Everything that stands out, by pattern and practitioner."""
    return [
        *oneself(searches),
        *same_family_name(searches),
        *colleague(searches, colleagues),
        *burst(searches, habits),
        *out_of_hours(searches, habits),
        *no_contact(searches, habits),
        *budget(searches),
    ]


def oneself(searches: Iterable[Search]) -> list[Item]:
    """Somebody of the asker's own name."""
    return _items(Pattern.ONESELF, searches, lambda each: any(each.asker.same(name) for name in each.names))


def same_family_name(searches: Iterable[Search]) -> list[Item]:
    """Somebody of the asker's family name and another given name: perhaps a relative."""
    return _items(
        Pattern.FAMILY_NAME,
        searches,
        lambda each: any(each.asker.same_family(name) and not each.asker.same(name) for name in each.names),
    )


def colleague(searches: Iterable[Search], colleagues: Collection[PersonName]) -> list[Item]:
    """Somebody of the name of one of this agency's practitioners, other than the asker's own."""
    by_family: dict[frozenset[str], list[PersonName]] = defaultdict(list)
    for known in colleagues:
        by_family[known.family].append(known)

    def is_one(search: Search) -> bool:
        return any(
            known.same(name) and not search.asker.same(name)
            for name in search.names
            for known in by_family.get(name.family, ())
        )

    return _items(Pattern.COLLEAGUE, searches, is_one)


def burst(searches: Iterable[Search], habits: Habits) -> list[Item]:
    """Many different people within a short time."""
    found: list[Item] = []
    for own in _by_practitioner(searches).values():
        ordered = sorted(own, key=lambda each: each.at)
        people: Counter[str] = Counter()  # of the questions from `start` to the last
        start, taken, entries = 0, 0, set[int]()
        for end, last in enumerate(ordered, 1):
            people[last.person] += 1
            while last.at - ordered[start].at > habits.burst_seconds:
                people[ordered[start].person] -= 1
                if not people[ordered[start].person]:
                    del people[ordered[start].person]
                start += 1
            if len(people) >= habits.burst_people:
                entries |= {each.seq for each in ordered[max(start, taken) : end]}
                taken = end
        found += _item(Pattern.BURST, ordered, entries)
    return found


def out_of_hours(searches: Iterable[Search], habits: Habits) -> list[Item]:
    """Many different people by night or at a weekend, over the week."""
    found: list[Item] = []
    for own in _by_practitioner(each for each in searches if _is_out_of_hours(each.at, habits)).values():
        if len({each.person for each in own}) >= habits.people_out_of_hours:
            found += _item(Pattern.OUT_OF_HOURS, own, {each.seq for each in own})
    return found


def no_contact(searches: Iterable[Search], habits: Habits) -> list[Item]:
    """Several searches after which this agency still has nothing to do with the person."""
    found = _items(Pattern.NO_CONTACT, searches, lambda each: each.followed_up is False)
    return [item for item in found if len(item.entries) >= habits.searches_without_contact]


def budget(searches: Iterable[Search]) -> list[Item]:
    """Questions that were told nothing because a budget was used up."""
    return _items(Pattern.BUDGET, searches, lambda each: each.withheld)


def _is_out_of_hours(at: float, habits: Habits) -> bool:
    local = datetime.fromtimestamp(at, habits.zone)
    return local.weekday() >= _SATURDAY or not habits.day_starts <= local.hour < habits.day_ends


def _items(pattern: Pattern, searches: Iterable[Search], stands_out: Callable[[Search], bool]) -> list[Item]:
    return [
        item
        for own in _by_practitioner(searches).values()
        for item in _item(pattern, own, {each.seq for each in own if stands_out(each)})
    ]


def _by_practitioner(searches: Iterable[Search]) -> dict[tuple[bool, str, str], list[Search]]:
    """A practitioner's id means something only together with their member's."""
    found: dict[tuple[bool, str, str], list[Search]] = defaultdict(list)
    for each in searches:
        found[not each.asked_here, each.member, each.practitioner].append(each)
    return dict(sorted(found.items()))


def _item(pattern: Pattern, own: Sequence[Search], entries: Collection[int]) -> Iterator[Item]:
    if entries:
        first = own[0]
        yield Item(
            pattern=pattern,
            asked_here=first.asked_here,
            member=first.member,
            practitioner=first.practitioner,
            entries=tuple(sorted(entries)),
        )
