"""Which rows of `person` are one person, and what matching is told of them.

Two rows are one person if an officer has decided so, or if they share a verified NHS number that no source protects and
their birth dates do not contradict each other; unless an officer has decided that they are not. They stay two rows;
`same_person` is the lowest of their ids. All else - similar names, the same address - joins nobody: a wrong join would
disclose one person's team as another's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import orjson

from gateway.database.contract import Row, Statement, Work
from gateway.matching.index import index_people, unindex
from gateway.matching.normalise import nhs_number, parse_postcode
from gateway.matching.record import Candidate
from gateway.node.grouping import people
from gateway.node.linking import Linking, linking
from gateway.node.protected import Guard, Name
from gateway.node.rows import LOOKUP_KEYS, chunks, select_in, update_in
from mappings.vocabulary import NHS_NUMBER_SYSTEM


def regroup(changed: Sequence[int], numbers_before: Iterable[Row] = ()) -> Work[None]:
    """Decide anew who is one person with whom, after rows changed or lost the NHS numbers `numbers_before`."""
    # (1) all that links them, and did so until now
    numbers = {number for (number,) in numbers_before if number}
    numbers |= yield from _note_protected_numbers(changed)
    known = yield from linking(changed, numbers)
    person_of, suspended = people(known.links)
    # (2) note which joins by hand have no effect, now or no more
    yield Statement(
        "UPDATE person_decision SET suspended = ? WHERE person_id = ? AND other_id = ?",
        [
            (int(pair in suspended), *pair)
            for pair, decision in known.decisions.items()
            if decision.suspended != (pair in suspended)
        ],
    )
    # (3) move rows; and those that were emptied, by which the ledger may still know somebody, after them
    target = _named_by_the_living(known, person_of)
    left = {row.person for row in known.rows.values() if target.get(row.id, row.person) != row.person}
    if not left:
        return
    for part in chunks(sorted(left)):
        rows = yield Statement(select_in("same_person, hash IS NULL, id FROM person", "same_person"), part)
        for person, gone, row_id in rows:
            if gone and row_id not in target:
                target[row_id] = _whereto(person, known, target)
    yield Statement("UPDATE person SET same_person = ? WHERE id = ?", [(new, row_id) for row_id, new in target.items()])
    yield from refresh({*left, *target.values()})


def _note_protected_numbers(changed: Sequence[int]) -> Work[set[str]]:
    """Bring protected_number up to date with these rows; returns the numbers that became protected, or free."""
    before: set[Row] = set()
    now: set[Row] = set()
    for part in chunks(list(changed)):
        before.update((yield Statement(select_in("number, person_id FROM protected_number", "person_id"), part)))
        rows = yield Statement(select_in("protected_numbers, id FROM person", "id"), part)
        now.update((number, row_id) for numbers, row_id in rows if numbers for number in numbers.split())
    yield Statement("DELETE FROM protected_number WHERE number = ? AND person_id = ?", list(before - now))
    yield Statement("INSERT INTO protected_number (number, person_id) VALUES (?, ?)", list(now - before))
    return {number for number, _ in before ^ now}


def _named_by_the_living(known: Linking, person_of: dict[int, int]) -> dict[int, int]:
    """The new `same_person` of each row: the lowest that is still there. An emptied row that no decision joins to
    others is left out: it follows those with whom it was one person.
    """
    living: dict[int, int] = {}
    for row in sorted(known.rows.values(), key=lambda row: row.id):
        if not row.gone:
            living.setdefault(person_of[row.id], row.id)
    by_hand = {row_id for pair in known.links.joined for row_id in pair}
    return {
        row.id: living.get(person_of[row.id], row.person)
        for row in known.rows.values()
        if not row.gone or row.id in by_hand
    }


def _whereto(person: int, known: Linking, target: dict[int, int]) -> int:
    """Where those went who were this person: to where some of them stayed, else to the lowest."""
    went = {target[row.id] for row in known.rows.values() if row.person == person and not row.gone}
    return person if person in went else min(went, default=person)


def refresh(row_ids: Iterable[int]) -> Work[None]:
    """Have the groups of these rows indexed again; make unfindable what is no longer a group."""
    groups = set(row_ids)
    for part in chunks(sorted(groups)):
        rows = yield Statement(select_in("DISTINCT same_person FROM person", "id"), part)
        groups.update(group for (group,) in rows)
    yield Statement("UPDATE person SET indexed = 0 WHERE same_person = ? AND hash IS NOT NULL", [(g,) for g in groups])
    yield from unindex(sorted(groups))


def index_pending() -> Work[None]:
    """Make findable everybody who has changed, but for those whose consents the ledger has yet to record."""
    blocked = set(
        (
            yield Statement(
                "SELECT DISTINCT p.same_person FROM consent c "
                "JOIN person p ON p.source_id = c.source_id AND p.key = c.person_key WHERE c.recorded = 0"
            )
        )
    )
    after = 0
    while True:
        rows = yield Statement(
            "SELECT DISTINCT same_person FROM person WHERE indexed = 0 AND same_person > ? "
            "ORDER BY same_person LIMIT ?",
            (after, LOOKUP_KEYS),
        )
        if not rows:
            return
        after = rows[-1][0]
        groups = [row[0] for row in rows if row not in blocked]
        yield from _index(groups)


def _index(groups: list[int]) -> Work[None]:
    described: dict[int, list[Row]] = defaultdict(list)
    for part in chunks(groups):
        rows = yield Statement(
            select_in("same_person, names, birth_date, addresses, identifiers, hash FROM person", "same_person"), part
        )
        for group, *description, digest in rows:
            if digest is not None:
                described[group].append(tuple(description))
    yield from index_people([(group, candidate_of(rows)) for group, rows in described.items()])
    for part in chunks(groups):
        yield Statement(update_in("person SET indexed = 1 WHERE indexed = 0", "same_person"), part)


def candidate_of(rows: list[Row]) -> Candidate:
    """All that may be searched of one person, of rows (names, birth date, addresses, identifiers).

    What one of the rows protects is left out even if another gives it, in whichever spelling a question would find it.
    """
    names: dict[Name, bool] = {}
    wanted: list[Name] = []
    postcodes: dict[str, bool] = {}
    numbers: dict[str, bool] = {}
    for raw_names, _, raw_addresses, raw_identifiers in rows:
        given = [((tuple(name["given"]), name["family"]), name["protected"]) for name in orjson.loads(raw_names)]
        for name, protected in given:
            names[name] = names.get(name, False) or protected
        if any(protected for _, protected in given):
            wanted += [name for name, protected in given if not protected]
        for address in orjson.loads(raw_addresses):
            code = parse_postcode(address["postcode"]) or ""
            postcodes[code] = postcodes.get(code, False) or address["protected"]
        for identifier in orjson.loads(raw_identifiers):
            if identifier["system"] == NHS_NUMBER_SYSTEM:
                number = nhs_number(identifier["value"]) or ""
                numbers[number] = numbers.get(number, False) or identifier["protected"]
    protected_names = [name for name, protected in names.items() if protected]
    guard = Guard(protected_names, wanted) if protected_names else None
    return Candidate(
        names=tuple(names) if guard is None else tuple(name for name in names if not guard.keeps_out(name)),
        birth_dates=tuple(dict.fromkeys(born for _, born, _, _ in rows if born)),
        postcodes=tuple(code for code, protected in postcodes.items() if code and not protected),
        nhs_numbers=tuple(number for number, protected in numbers.items() if number and not protected),
    )
