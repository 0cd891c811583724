"""What may be told of a week's use: which numbers are shown, and which are withheld because they are small. Pure.

A number from 1 to `least` - 1 is withheld, and so is another of the same table, or more, if it could be computed from
the rest: those withheld are never alone, and come to `least` or more together. Which others go goes by place and never
by size, or the choice itself would tell. Each table adds up to a number that is shown with it; no two tables share
anything else, and nothing is added up over weeks, so that no number can be had by comparing tables, weeks or exports.
So has every table three places: with more, the pattern of what is withheld would tell too much of small tables.
tests/properties/test_figures_withheld.py holds all this against every small table there is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

SEARCHES: Final = "searches"
PEOPLE: Final = "people"
TEAMS: Final = ("teams-none", "teams-one", "teams-more")  # searches by how many agencies work with the person
ANSWERED: Final = ("answered-all", "answered-some", "answered-none")  # searches by how many of those asked answered
REACHED: Final = ("reached-yes", "reached-no", "reached-not-yet")  # calls and messages by what was said of them
CONTACT: Final = ("contact-5-minutes", "contact-1-hour", "contact-later")  # of reached-yes, by time since the search
TABLES: Final = (TEAMS, ANSWERED, REACHED, CONTACT)

Counts = Mapping[str, Mapping[str, int]]  # name of a figure, then role


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWeek:
    """What is shown of the week that begins on a Monday; None is withheld.

    `parts` has the names of TABLES, `roles` those of the accounts that searched.
    """

    begins: date
    searches: int | None
    people: int | None
    found: int | None
    parts: Mapping[str, int | None]
    roles: Mapping[str, int | None]


def shown_week(begins: date, counts: Counts, *, roles: Sequence[str], least: int) -> ShownWeek:
    """One finished week. `roles` are all (three) groups of accounts, always in the same order."""
    searches, people = _total(counts, SEARCHES), _total(counts, PEOPLE)
    nobody = searches == 0
    enough = nobody or (searches >= least and people >= least)
    parts: dict[str, int | None] = {}
    for table in (TEAMS, ANSWERED):
        parts |= _table(table, counts, least=least, enough=enough)
    parts |= _table(REACHED, counts, least=least, enough=enough and not (nobody and _any(REACHED, counts)))
    # Those reached are the whole of the last table: withheld, they must not be had as its sum.
    parts |= _table(CONTACT, counts, least=least, enough=parts[REACHED[0]] is not None)
    few = [place for place, role in enumerate(roles) if 0 < counts.get(PEOPLE, {}).get(role, 0) < least]
    by_role = [counts.get(SEARCHES, {}).get(role, 0) for role in roles]
    nothing = parts[TEAMS[0]]
    return ShownWeek(
        begins=begins,
        searches=searches if enough else None,
        people=people if enough else None,
        found=searches - nothing if nothing is not None else None,
        parts=parts,
        roles=dict(zip(roles, shown(by_role, least=least, few=few) if enough else [None] * len(roles), strict=True)),
    )


def shown(counts: Sequence[int], *, least: int, few: Collection[int] = ()) -> list[int | None]:
    """A table of three whose sum is known, None for what is withheld. `few`: places withheld whatever their size."""
    total = sum(counts)
    if total == 0:
        return list(counts)
    if total < least + len(counts):  # so that even one for each place would not be the only way to come to it
        return [None] * len(counts)
    hidden = {place for place, count in enumerate(counts) if 0 < count < least or place in few}
    if hidden:
        first = min(hidden)
        others = (place % len(counts) for place in range(first + 1, first + len(counts)))
        while len(hidden) < 2 or sum(counts[place] for place in hidden) < max(least, len(hidden) + 1):  # noqa: PLR2004
            hidden.add(next(place for place in others if place not in hidden))
    return [None if place in hidden else count for place, count in enumerate(counts)]


def _table(names: Sequence[str], counts: Counts, *, least: int, enough: bool) -> dict[str, int | None]:
    told = shown([_total(counts, name) for name in names], least=least) if enough else [None] * len(names)
    return dict(zip(names, told, strict=True))


def _any(names: Sequence[str], counts: Counts) -> bool:
    return any(_total(counts, name) for name in names)


def _total(counts: Counts, name: str) -> int:
    return sum(counts.get(name, {}).values())
