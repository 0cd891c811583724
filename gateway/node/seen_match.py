"""Whom a description fits, among the people whom one of an agency's own staff may see: for pages, not for answers.

An answer weighs everybody who is registered here, and somebody whom a hidden service knows is a rival who keeps it
silent. On a page that would tell of the hidden row, for whoever types knows what else is registered. So nobody is
compared here but those whose work with somebody the viewer may see, and of these no row but such as that work stands
at: a row that is hidden neither makes anybody fit nor keeps them from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from gateway.database.contract import Row, Statement, Work
from gateway.matching.frequency import EVERYBODY, Frequencies
from gateway.matching.index import people_near, read_counts
from gateway.matching.record import asked_of, card_of
from gateway.matching.score import MAX_RIVALS, NOBODY, Match, Scored, Thresholds, choose, pairs_of, weigh_pairs
from gateway.node.local_view import View, matched_team, own_clients
from gateway.node.rows import chunks, select_in
from gateway.node.same_person import candidate_of
from gateway.wire.query import Subject
from mappings.vocabulary import MatchGrade


def seen_match(subject: Subject, view: View, *, thresholds: Thresholds) -> Work[Scored | None]:
    """The one person of that description, if there is one, with whom the viewer sees somebody work."""
    near = yield from people_near(asked_of(subject, today=view.today), today=view.today)
    row_ids: dict[int, int] = {}
    for person_id in near[:MAX_RIVALS]:
        team = yield from matched_team(person_id, MatchGrade.CERTAIN, view)
        row_ids.update(dict.fromkeys(team.rows, person_id))
    match = yield from _best_of(subject, row_ids, view, thresholds)
    return match.best if match.disclosable else None


def own_match(subject: Subject, view: View, *, thresholds: Thresholds) -> Work[int | None]:
    """The id that the pages of one of the viewer's own clients have, if the description fits that client surely.

    Nobody else is compared, and of a client no row but those at which the viewer's own work stands: another service's
    row neither makes them fit nor is a rival that keeps them from fitting.
    """
    own = yield from own_clients(view)
    match = yield from _best_of(subject, own, view, thresholds)
    if match.best is None or not match.disclosable:
        return None
    return min(row_id for row_id, person in own.items() if person == match.best.person_id)


def _best_of(subject: Subject, rows_of: Mapping[int, int], view: View, thresholds: Thresholds) -> Work[Match]:
    """Compare people by these rows alone: who each row is, by its id."""
    described = yield from _described(rows_of)
    asked = asked_of(subject, today=view.today)
    cards = [(person, card_of(candidate_of(rows))) for person, rows in described.items()]
    pairs = pairs_of(asked, cards, today=view.today)
    if not pairs:
        return NOBODY
    counts = yield from read_counts({of for _, pair in pairs for of in pair.rarity.classes()} | {EVERYBODY})
    frequencies = Frequencies(counts)
    weighed = weigh_pairs(pairs, frequencies)
    return choose(weighed, frequencies, thresholds=thresholds, names_asked=len(asked.names))


def _described(rows_of: Mapping[int, int]) -> Work[dict[int, list[Row]]]:
    described: dict[int, list[Row]] = defaultdict(list)
    for part in chunks(sorted(rows_of)):
        rows: Iterable[Row] = yield Statement(
            select_in("id, names, birth_date, addresses, identifiers FROM person", "id"), part
        )
        for row_id, *description in rows:
            described[rows_of[row_id]].append(tuple(description))
    return described
