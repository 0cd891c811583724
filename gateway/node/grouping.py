"""From links between rows to people. Pure, and the same in whichever order the links come.

Three kinds of evidence, the stronger over the weaker: what a source protects, what an officer decided, a shared number.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What is known of some rows, and of all that are linked to them.

    `shared` are rows that a number makes one. By hand, rows are `joined` or `parted`; no two rows that joins connect
    are parted, because a decision that contradicts others is refused. `barred` pairs must not become one by hand.
    """

    rows: Collection[int]
    shared: Sequence[Sequence[int]] = ()
    joined: Collection[Pair] = ()
    parted: Collection[Pair] = ()
    barred: Collection[Pair] = ()


def people(links: Links) -> tuple[dict[int, int], frozenset[Pair]]:
    """Which person each row is, named by the lowest of its rows; and the joins that had to give way.

    Where it is not certain which link is wrong, all that could be give way: two people as one is worse than one as two.
    """
    # (1) Numbers give way where they would connect what was parted by hand.
    person_of = connected(links.rows, [*links.shared, *links.joined])
    contradicted = _together(person_of, links.parted)
    shared = [rows for rows in links.shared if person_of[rows[0]] not in contradicted]
    # (2) Joins by hand give way where they would connect what is barred.
    person_of = connected(links.rows, [*shared, *links.joined])
    contradicted = _together(person_of, links.barred)
    suspended = frozenset(pair for pair in links.joined if person_of[pair[0]] in contradicted)
    # (3) What is left.
    return connected(links.rows, [*shared, *(pair for pair in links.joined if pair not in suspended)]), suspended


def connected(rows: Iterable[int], links: Iterable[Sequence[int]]) -> dict[int, int]:
    """The lowest row that each row is connected with, itself included; every row of a link is among `rows`."""
    parent = {row: row for row in rows}

    def lowest(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    for link in links:
        for row in link[1:]:
            kept, gone = sorted((lowest(link[0]), lowest(row)))
            parent[gone] = kept
    return {row: lowest(row) for row in parent}


def _together(person_of: dict[int, int], pairs: Iterable[Pair]) -> set[int]:
    return {person_of[one] for one, other in pairs if person_of[one] == person_of[other]}
