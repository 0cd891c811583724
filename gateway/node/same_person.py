"""Which rows of `person` are one person, and what matching is told of them.

Two rows are one person only if they share a verified NHS number that neither source protects and their birth dates do
not contradict each other. They stay two rows; `same_person` is the lowest of their ids. All else - similar names, the
same address - joins nobody: a wrong join would disclose one person's team as another's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import orjson

from gateway.database.contract import Row, Statement, Work
from gateway.matching.index import index_people, unindex
from gateway.matching.normalise import name_tokens, nhs_number, parse_postcode
from gateway.matching.record import Candidate
from gateway.node.rows import LOOKUP_KEYS, chunks, select_in, update_in
from mappings.vocabulary import NHS_NUMBER_SYSTEM


def regroup(changed: Sequence[int], numbers_before: Iterable[Row]) -> Work[None]:
    """Decide anew who is one person with whom, after rows changed or lost the NHS numbers `numbers_before`."""
    # (1) everybody who has, or is left behind by, one of the numbers
    now: dict[int, tuple[int, str | None, str | None]] = {}
    for part in chunks(list(changed)):
        rows = yield Statement(select_in("id, same_person, nhs_number, birth_date FROM person", "id"), part)
        now.update((row_id, (group, number, born)) for row_id, group, number, born in rows)
    numbers = {number for _, number, _ in now.values() if number} | {n for (n,) in numbers_before if n}
    for part in chunks(sorted(numbers)):
        rows = yield Statement(select_in("id, same_person, nhs_number, birth_date FROM person", "nhs_number"), part)
        now.update((row_id, (group, number, born)) for row_id, group, number, born in rows)
    # (2) those who share one and do not contradict each other are one person; all others are themselves
    sharing: dict[str, list[int]] = defaultdict(list)
    for row_id, (_, number, _) in now.items():
        if number:
            sharing[number].append(row_id)
    group_of = {row_id: row_id for row_id in now}
    for rows_of_one in sharing.values():
        if _agree([now[row_id][2] for row_id in rows_of_one]):
            group_of.update(dict.fromkeys(rows_of_one, min(rows_of_one)))
    # (3) move them, and with them the emptied rows by which the ledger may still know them
    moved = [(group_of[row_id], row_id, group) for row_id, (group, _, _) in now.items() if group != group_of[row_id]]
    if not moved:
        return
    yield Statement("UPDATE person SET same_person = ? WHERE id = ?", [(new, row_id) for new, row_id, _ in moved])
    yield Statement(
        "UPDATE person SET same_person = ? WHERE same_person = ? AND hash IS NULL",
        [(new, old) for new, _, old in moved],
    )
    yield from refresh(group for new, _, old in moved for group in (new, old))


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
                "SELECT DISTINCT p.same_person FROM consent c JOIN person p ON p.id = c.person_id WHERE c.recorded = 0"
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
    names: dict[tuple[tuple[str, ...], str], bool] = {}
    postcodes: dict[str, bool] = {}
    numbers: dict[str, bool] = {}
    for raw_names, _, raw_addresses, raw_identifiers in rows:
        for name in orjson.loads(raw_names):
            written = (tuple(name["given"]), name["family"])
            names[written] = names.get(written, False) or name["protected"]
        for address in orjson.loads(raw_addresses):
            code = parse_postcode(address["postcode"]) or ""
            postcodes[code] = postcodes.get(code, False) or address["protected"]
        for identifier in orjson.loads(raw_identifiers):
            if identifier["system"] == NHS_NUMBER_SYSTEM:
                number = nhs_number(identifier["value"]) or ""
                numbers[number] = numbers.get(number, False) or identifier["protected"]
    guarded = [_as_searched(name) for name, protected in names.items() if protected]
    return Candidate(
        names=tuple(name for name in names if _as_searched(name) not in guarded) if guarded else tuple(names),
        birth_dates=tuple(dict.fromkeys(born for _, born, _, _ in rows if born)),
        postcodes=tuple(code for code, protected in postcodes.items() if code and not protected),
        nhs_numbers=tuple(number for number, protected in numbers.items() if number and not protected),
    )


def _as_searched(name: tuple[tuple[str, ...], str]) -> list[str]:
    """Its parts as questions meet them, in any order: matching finds given and family name exchanged too."""
    given, family = name
    return sorted(name_tokens(" ".join(given)) + name_tokens(family))


def _agree(birth_dates: list[str | None]) -> bool:
    """True if all known birth dates can be those of one person; a partial date fits every date that begins with it."""
    known = sorted((born for born in birth_dates if born), key=len)
    return all(longer.startswith(shorter) for shorter, longer in pairwise(known))
