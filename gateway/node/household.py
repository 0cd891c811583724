"""Who belongs with a client - household and family - as far as one of this agency's own staff may see it.

A link says two things that may have to stay hidden: whom it leads to, and that the record which has it knows the
client. So both its ends must be rows at which something stands that the viewer sees: their own work, or work that
`visible_team` lets through. Every other link is neither shown nor counted (docs/policy.md, "An agency's own staff").
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.database.contract import Statement, Work
from gateway.node.local_view import LocalTeam, View, matched_team, own_clients, own_team
from gateway.node.names import stored_name
from gateway.node.native import NATIVE, new_key, references_to, remove, store
from gateway.node.people import Source
from mappings.model import HumanName, PersonLink
from mappings.vocabulary import MatchGrade, PersonLinkKind

MAX_LINKS: Final = 200  # of one client that are read: a family has a dozen
MAX_RELATED: Final = 30  # people whom pages link with one client


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Somebody who belongs with the client. `mine` is the id of their pages if they are the viewer's client, too.

    `person_id` is the row that is shown; `team` what the viewer sees around them. `made` are the keys of links made on
    pages, by kind; a kind without any comes from a source, and stays.
    """

    person_id: int
    names: tuple[HumanName, ...]
    birth_date: str | None
    team: LocalTeam
    mine: int | None
    kinds: tuple[PersonLinkKind, ...]
    made: Mapping[PersonLinkKind, tuple[str, ...]]


@dataclass(slots=True)
class _Found:
    """What links say of one person, before it is known whether they may be shown."""

    rows: set[int]
    kinds: set[PersonLinkKind]
    imported: set[PersonLinkKind]
    made: dict[PersonLinkKind, list[str]]


def household_of(person_id: int, team: LocalTeam, view: View) -> Work[list[Related]]:
    """Whom the viewer may see of those who belong with a client of theirs, whose `team` this is; by row."""
    same_person, linked = yield from _links(person_id, team.rows)
    own = yield from own_clients(view)
    related: list[Related] = []
    for other, found in sorted(linked.items()):
        if other == same_person:
            continue
        mine = min((row for row, person in own.items() if person == other), default=None)
        if mine is not None:
            seen = yield from own_team(mine, other, view)
        else:
            seen = yield from matched_team(other, MatchGrade.CERTAIN, view)
        shown = sorted(found.rows & seen.rows)
        if not shown:
            continue
        row_id = shown[0] if mine is None else mine
        names, birth_date = yield from _described(row_id)
        related.append(
            Related(
                person_id=row_id,
                names=names,
                birth_date=birth_date,
                team=seen,
                mine=mine,
                kinds=tuple(kind for kind in PersonLinkKind if kind in found.kinds),
                made={kind: tuple(keys) for kind, keys in found.made.items() if kind not in found.imported},
            )
        )
    return related


def may_be_linked(person_id: int, view: View) -> Work[dict[int, tuple[tuple[HumanName, ...], str | None]]]:
    """Names and birth dates of the viewer's other clients, by the id of their pages."""
    own = yield from own_clients(view)
    first: dict[int, int] = {}
    for row_id in sorted(own):
        first.setdefault(own[row_id], row_id)
    first.pop(own.get(person_id, -1), None)
    found: dict[int, tuple[tuple[HumanName, ...], str | None]] = {}
    for row_id in first.values():
        found[row_id] = yield from _described(row_id)
    return found


def link(source: Source, person_id: int, other_id: int, kind: PersonLinkKind) -> Work[None]:
    """Say that two people belong together, once. The caller has seen to it that both are whoever says so's clients."""
    known = yield Statement(
        "SELECT 1 FROM person_link WHERE kind = ? "
        "AND ((person_id = ? AND other_id = ?) OR (person_id = ? AND other_id = ?))",
        (kind, person_id, other_id, other_id, person_id),
    )
    if known:
        return
    named = yield from references_to("person", (person_id, other_id))
    yield from store(
        source, PersonLink(key=new_key(), person_key=named[person_id], other_key=named[other_id], kind=kind)
    )


def unlink(source: Source, keys: Iterable[str]) -> Work[None]:
    """Take back links that were made on pages."""
    yield from remove(source, "person_link", list(keys))


def _links(person_id: int, rows: frozenset[int]) -> Work[tuple[int, dict[int, _Found]]]:
    """Who the client is to matching, and what links of these rows of theirs say of others, either way round."""
    ((same_person,),) = yield Statement("SELECT same_person FROM person WHERE id = ?", (person_id,))
    found: dict[int, _Found] = defaultdict(lambda: _Found(set(), set(), set(), defaultdict(list)))
    for row_id in sorted(rows):
        for here, there in (("person_id", "other_id"), ("other_id", "person_id")):
            for key, source, kind, other_row, other in (yield Statement(_LINKS[here, there], (row_id, MAX_LINKS))):
                each = found[other]
                each.rows.add(other_row)
                each.kinds.add(PersonLinkKind(kind))
                if source == NATIVE:
                    each.made[PersonLinkKind(kind)].append(key)
                else:
                    each.imported.add(PersonLinkKind(kind))
    return same_person, found


def _described(row_id: int) -> Work[tuple[tuple[HumanName, ...], str | None]]:
    ((names, birth_date),) = yield Statement("SELECT names, birth_date FROM person WHERE id = ?", (row_id,))
    shown = tuple(stored_name(each) for each in orjson.loads(names) if not each["protected"])
    return shown, birth_date


_LINK = (
    "SELECT l.key, s.name, l.kind, p.id, p.same_person FROM person_link l JOIN import_source s ON s.id = l.source_id "
    "JOIN person p ON p.id = l.{there} WHERE l.{here} = ? AND p.hash IS NOT NULL ORDER BY l.id LIMIT ?"
)
_LINKS = {
    (here, there): _LINK.format(here=here, there=there)
    for here, there in (("person_id", "other_id"), ("other_id", "person_id"))
}
