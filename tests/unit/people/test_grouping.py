"""From links to people: what holds of every set of links."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.node.grouping import Links, Pair, connected, people

ROWS = range(1, 9)
PAIRS = st.sampled_from(list(combinations(ROWS, 2)))


@st.composite
def links(draw: st.DrawFn) -> Links:
    """Any evidence that can be: of the decisions, those that contradict earlier ones were refused."""
    number_of = draw(st.lists(st.integers(0, 4), min_size=len(ROWS), max_size=len(ROWS)))
    shared = [[row for row, own in zip(ROWS, number_of, strict=True) if own == number] for number in range(1, 5)]
    joined: list[Pair] = []
    parted: list[Pair] = []
    for pair, same in draw(st.lists(st.tuples(PAIRS, st.booleans()), max_size=8)):
        if same and consistent([*joined, pair], parted):
            joined.append(pair)
        elif not same and consistent(joined, [*parted, pair]):
            parted.append(pair)
    return Links(
        rows=ROWS,
        shared=[rows for rows in shared if len(rows) > 1],
        joined=list(dict.fromkeys(joined)),
        parted=list(dict.fromkeys(parted)),
        barred=draw(st.lists(PAIRS, max_size=2, unique=True)),
    )


def consistent(joined: Sequence[Pair], parted: Sequence[Pair]) -> bool:
    by_hand = connected(ROWS, joined)
    return all(by_hand[one] != by_hand[other] for one, other in parted)


@given(links(), st.randoms())
def test_the_order_of_links_does_not_matter(given_links: Links, random: Random) -> None:
    def shuffled(some: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        each = [tuple(random.sample(list(one), len(one))) for one in some]
        random.shuffle(each)
        return each

    other = Links(
        rows=shuffled([ROWS])[0],
        shared=shuffled(given_links.shared),
        joined=sorted(given_links.joined, reverse=True),
        parted=sorted(given_links.parted, reverse=True),
        barred=sorted(given_links.barred, reverse=True),
    )
    assert people(other) == people(given_links)


@given(links())
def test_nobody_is_one_person_with_whom_an_officer_parted_them_from(given_links: Links) -> None:
    person_of, _ = people(given_links)
    assert all(person_of[one] != person_of[other] for one, other in given_links.parted)


@given(links())
def test_a_join_by_hand_holds_unless_it_is_suspended(given_links: Links) -> None:
    person_of, suspended = people(given_links)
    assert all(person_of[one] == person_of[other] for one, other in set(given_links.joined) - suspended)
    assert suspended == frozenset() or given_links.barred


@given(links())
def test_what_is_barred_is_never_connected_by_hand(given_links: Links) -> None:
    person_of, _ = people(given_links)
    by_number, _ = people(replace(given_links, joined=(), parted=()))
    for one, other in given_links.barred:
        assert person_of[one] != person_of[other] or by_number[one] == by_number[other]


@given(links(), PAIRS)
def test_a_merge_taken_back_leaves_everything_as_it_was(given_links: Links, pair: Pair) -> None:
    assume(pair not in given_links.joined and pair not in given_links.parted)
    merged = replace(given_links, joined=[*given_links.joined, pair])
    assert people(replace(merged, joined=[each for each in merged.joined if each != pair])) == people(given_links)


@given(links())
def test_without_decisions_a_shared_number_alone_makes_one_person(given_links: Links) -> None:
    alone = replace(given_links, joined=(), parted=(), barred=())
    assert people(alone) == (connected(ROWS, given_links.shared), frozenset())


def test_where_a_number_contradicts_a_decision_the_number_gives_way_and_decisions_stand() -> None:
    person_of, suspended = people(Links(rows=(1, 2, 3, 4), shared=[[1, 2, 3]], joined=[(3, 4)], parted=[(1, 4)]))
    assert person_of == {1: 1, 2: 2, 3: 3, 4: 3}
    assert not suspended


def test_another_number_elsewhere_stays() -> None:
    person_of, _ = people(Links(rows=(1, 2, 3, 4), shared=[[1, 2], [3, 4]], parted=[(1, 2)]))
    assert person_of == {1: 1, 2: 2, 3: 3, 4: 3}


def test_connecting_thousands_of_rows_is_quick_in_any_order() -> None:
    rows = range(20_000)
    assert set(connected(rows, [list(rows)]).values()) == {0}
    assert set(connected(rows, [(row, row + 1) for row in reversed(rows[:-1])]).values()) == {0}
