"""Small numbers cannot be computed from what is shown, not even by somebody who knows how it was chosen."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import date
from itertools import product

import pytest

from gateway.reports.figures import CONTACT, PEOPLE, REACHED, SEARCHES, TEAMS, shown, shown_week

MONDAY = date(2026, 9, 14)


def assert_open(seen: Iterable[tuple[Hashable, tuple[int, ...], tuple[bool, ...]]]) -> None:
    """Of everything that looks the same, whatever is withheld has at least two possible values.

    `seen`: what is shown, the true numbers, and which of them are withheld.
    """
    alike: dict[Hashable, list[tuple[tuple[int, ...], tuple[bool, ...]]]] = defaultdict(list)
    for told, true, withheld in seen:
        alike[told].append((true, withheld))
    for told, possible in alike.items():
        for place, hidden in enumerate(possible[0][1]):
            values = {true[place] for true, _ in possible}
            assert not hidden or len(values) > 1, (told, place, values)


@pytest.mark.parametrize(("places", "least", "most"), [(3, 3, 12), (3, 4, 14), (3, 5, 16)])
def test_no_withheld_number_of_a_table_can_be_computed(places: int, least: int, most: int) -> None:
    def seen() -> Iterable[tuple[Hashable, tuple[int, ...], tuple[bool, ...]]]:
        for counts in product(range(most), repeat=places):
            told = shown(counts, least=least)
            total = sum(counts) if sum(counts) >= least or not sum(counts) else None
            yield (tuple(told), total), counts, tuple(each is None for each in told)

    assert_open([each for each in seen() if sum(each[1]) < most])  # beyond, tables that look alike are not all there


@pytest.mark.parametrize("least", [3, 5])
def test_small_numbers_are_always_withheld_and_a_group_of_few_people_too(least: int) -> None:
    for counts in product(range(2 * least), repeat=3):
        assert not any(each is not None and 0 < each < least for each in shown(counts, least=least))
        assert sum(counts) == 0 or shown(counts, least=least, few=[1])[1] is None


def test_tables_that_share_a_number_do_not_tell_each_other() -> None:
    least, most = 3, 9

    def seen() -> Iterable[tuple[Hashable, tuple[int, ...], tuple[bool, ...]]]:
        for yes, no, later in product(range(most), repeat=3):
            for soon, hour in product(range(yes + 1), repeat=2):
                if soon + hour > yes or yes + no + later >= most:
                    continue
                numbers = (yes, no, later, soon, hour, yes - soon - hour)
                counts = {name: {"r": number} for name, number in zip((*REACHED, *CONTACT), numbers, strict=True)}
                week = shown_week(
                    MONDAY, counts | {SEARCHES: {"r": 9}, PEOPLE: {"r": 9}}, roles=["r", "s", "t"], least=least
                )
                told = tuple(week.parts[name] for name in (*REACHED, *CONTACT))
                total = yes + no + later
                yield (told, total if total >= least else None), numbers, tuple(each is None for each in told)

    assert_open(list(seen()))


def test_how_many_found_somebody_is_shown_only_if_how_many_did_not_may_be() -> None:
    least, most = 3, 9

    def seen() -> Iterable[tuple[Hashable, tuple[int, ...], tuple[bool, ...]]]:
        for teams in product(range(most), repeat=3):
            total = sum(teams)
            if total >= most:
                continue
            counts = {name: {"r": number} for name, number in zip(TEAMS, teams, strict=True)}
            week = shown_week(
                MONDAY, counts | {SEARCHES: {"r": total}, PEOPLE: {"r": total}}, roles=["r", "s", "t"], least=least
            )
            told = (week.found, *(week.parts[name] for name in TEAMS))
            true = (total - teams[0], *teams)
            yield (told, week.searches), true, tuple(each is None for each in told)

    assert_open(list(seen()))


def test_a_week_of_few_people_tells_nothing_and_an_empty_one_says_so() -> None:
    many = {SEARCHES: {"r": 100}, TEAMS[0]: {"r": 60}, TEAMS[1]: {"r": 40}, REACHED[0]: {"r": 50}}
    few = shown_week(MONDAY, many | {PEOPLE: {"r": 4}}, roles=["r", "s", "t"], least=5)
    assert {few.searches, few.people, few.found, *few.parts.values(), *few.roles.values()} == {None}
    enough = shown_week(MONDAY, many | {PEOPLE: {"r": 5}}, roles=["r", "s", "t"], least=5)
    assert (enough.searches, enough.people, enough.found) == (100, 5, 40)
    empty = shown_week(MONDAY, {}, roles=["r", "s", "t"], least=5)
    assert {empty.searches, empty.people, *empty.parts.values(), *empty.roles.values()} == {0}


def test_the_searches_of_a_group_of_few_people_are_withheld_with_those_of_another() -> None:
    counts = {SEARCHES: {"a": 50, "b": 60, "c": 70}, PEOPLE: {"a": 9, "b": 1, "c": 9}}
    week = shown_week(MONDAY, counts, roles=["a", "b", "c"], least=5)
    assert (week.searches, week.roles) == (180, {"a": 50, "b": None, "c": None})


def test_what_is_withheld_for_other_reasons_than_its_size_cannot_be_computed_either() -> None:
    least, most = 3, 12

    def seen() -> Iterable[tuple[Hashable, tuple[int, ...], tuple[bool, ...]]]:
        for counts in product(range(most), repeat=3):
            if sum(counts) < most:
                told = shown(counts, least=least, few=[2])
                known = sum(counts) if sum(counts) >= least or not sum(counts) else None
                yield (tuple(told), known), counts, tuple(each is None for each in told)

    assert_open(list(seen()))
