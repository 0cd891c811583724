"""What one of this agency's own staff sees of a client here: the only door of the pages to people and their teams.

A client's pages open for whoever works with them: for anybody else `local_team` is as empty as for an id that nobody
has. So walking through ids shows nothing, and a page cannot tell "not yours" from "not there". What is shown of the
client's record is the row at which the viewer's own work stands, never another service's row that happens to be the
same person; of others' work it is what `visible_team` lets through (docs/policy.md, "An agency's own staff").

`matched_team` is for somebody whom the viewer has just described, as a question would: what a member may learn, they
may. Whom a description fits, seen_match.py tells from rows alone at which the viewer sees something.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import orjson

from consent_ledger.consent import ConsentEntry
from consent_ledger.read import accepted_agreements, consents_of
from gateway.database.contract import Statement, Work
from gateway.fhir.bundle import Participation
from gateway.node.agreements import AgreementsInForce
from gateway.node.disclose import show
from gateway.node.local import LocalUser, Need, visible_team
from gateway.node.names import stored_name
from gateway.node.rows import chunks, select_in
from gateway.node.team import Team, TeamMember, team_of
from mappings.model import HumanName
from mappings.vocabulary import LawfulBasis, MatchGrade, Mode, Purpose

# What a page's look at a client is for, unless the page says otherwise, and the basis: the first that the agreement
# lets this agency learn something on.
USUAL_PURPOSE = Purpose.COORDINATION
_BASES = (
    LawfulBasis.PUBLIC_TASK,
    LawfulBasis.LEGAL_OBLIGATION,
    LawfulBasis.LEGITIMATE_INTERESTS,
    LawfulBasis.CONSENT,
    LawfulBasis.VITAL_INTERESTS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why own staff look, as it is decided upon and put on record."""

    purpose: Purpose
    lawful_basis: LawfulBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks, when, and what binds this agency: the same for all that one request shows."""

    user: LocalUser
    need: Need
    agreements: AgreementsInForce | None
    accepted: frozenset[str]
    today: date

    @property
    def reason(self) -> Reason:
        """What goes on record of a look."""
        return Reason(purpose=self.need.purpose, lawful_basis=self.need.lawful_basis)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """One involvement of the viewer's own, or of a service of theirs that names nobody (`by_name` False).

    `involvement_id` is the row's, by which decisions on record name it; another may have it later, so it is not kept.
    """

    involvement_id: int
    shown: Participation
    last_confirmed: str | None
    by_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client of the viewer's: `person_id` is the row at which their own work stands, by which pages name the person.

    Names and birth date are that row's; protected names are not among them.
    """

    person_id: int
    names: tuple[HumanName, ...]
    birth_date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTeam:
    """A team as the viewer may see it. `person_ids` are those under which the ledger knows the person.

    `consents` are those on record under a row at which something stands that is seen, in ledger order: what is on
    record under a hidden service's row must not tell that there is one. They are never to be listed to staff as they
    stand, because one of them may name a service that the viewer must not learn of; and not for decisions, which take
    all. `workers` are the rows of those whom `others` name, in the same order; None for a duty contact. `client` is
    None for a matched person; `record` is the row of theirs at which the first work of others stands that is seen: who
    joins this team joins it there. `rows` are all rows of theirs at which something stands that is seen: what a row
    says besides, whom it belongs with say, may be told of these alone.
    """

    client: Client | None = None
    record: int | None = None
    rows: frozenset[int] = frozenset()
    person_ids: tuple[int, ...] = ()
    mine: tuple[Mine, ...] = ()
    others: tuple[Participation, ...] = ()
    workers: tuple[int | None, ...] = ()
    consents: tuple[ConsentEntry, ...] = ()

    @property
    def size(self) -> int:
        """How many involvements are seen; 0 is as if nobody had this id."""
        return len(self.mine) + len(self.others)


NOTHING_TO_SEE = LocalTeam()


def view_of(
    user: LocalUser,
    *,
    agreements: AgreementsInForce | None,
    today: date,
    purpose: Purpose = USUAL_PURPOSE,
    basis: LawfulBasis | None = None,
) -> Work[View]:
    """What binds this agency now; without an agreement for this purpose the viewer sees their own work alone.

    `basis` None is the first on which some agreement lets this agency learn something. `agreements` None: nothing that
    the federation says can be relied on now.
    """
    bases = _BASES if basis is None else (basis,)
    need = Need(purpose=purpose, lawful_basis=bases[0], agreement_uri="", agreement_version="")
    if agreements is None:
        return View(user=user, need=need, agreements=None, accepted=frozenset(), today=today)
    accepted = yield from accepted_agreements(agreements.federation.name)
    for each in bases:
        agreement = agreements.for_own_staff(purpose, each, accepted=accepted, today=today)
        if agreement is not None:
            need = Need(
                purpose=purpose, lawful_basis=each, agreement_uri=agreement.uri, agreement_version=agreement.version
            )
            break
    return View(user=user, need=need, agreements=agreements, accepted=accepted, today=today)


def local_team(person_id: int, view: View) -> Work[LocalTeam]:
    """A client whom the viewer works with, by the id that their pages have; NOTHING_TO_SEE for anybody else's."""
    same_person = (yield from own_clients(view, person_id=person_id)).get(person_id)
    if same_person is None:
        return NOTHING_TO_SEE
    return (yield from own_team(person_id, same_person, view))


def own_team(person_id: int, same_person: int, view: View) -> Work[LocalTeam]:
    """The same for a pair that `own_clients` gave in this very visit to the database."""
    ((names, birth_date),) = yield Statement("SELECT names, birth_date FROM person WHERE id = ?", (person_id,))
    shown = Client(
        person_id=person_id,
        names=tuple(stored_name(stored) for stored in orjson.loads(names) if not stored["protected"]),
        birth_date=birth_date,
    )
    return replace((yield from _seen(same_person, view)), client=shown)


def matched_team(person_id: int, grade: MatchGrade, view: View) -> Work[LocalTeam]:
    """What the viewer may see around somebody whom matching found so surely, by the id under which it knows them."""
    return (yield from _seen(person_id, view, grade))


def my_record(same_person: int, view: View) -> Work[int | None]:
    """The id that a matched person's pages have for the viewer, if they work with that person already."""
    own = yield from own_clients(view)
    return min((row_id for row_id, person in own.items() if person == same_person), default=None)


def _seen(same_person: int, view: View, grade: MatchGrade = MatchGrade.CERTAIN) -> Work[LocalTeam]:
    day = view.today.isoformat()
    team = yield from team_of(same_person, today=day)
    consents, _ = yield from consents_of(team.person_ids)
    own = [each for each in team.involvements if view.user.has(each)]
    others = [
        (each, shown)
        for each in team.involvements
        if each not in own
        for shown in _shown(replace(team, involvements=(each,)), view, consents, grade)
    ]
    row_of = yield from _rows_of([*own, *(each for each, _ in others)], team.person_ids)
    seen = tuple(sorted(set(row_of.values())))
    if seen != team.person_ids:
        consents, _ = yield from consents_of(seen)
    return LocalTeam(
        record=row_of[others[0][0].involvement_id] if others else None,
        rows=frozenset(seen),
        person_ids=team.person_ids,
        mine=tuple(_mine(each, day) for each in own),
        others=tuple(shown for _, shown in others),
        workers=tuple(each.practitioner_id if shown.practitioner else None for each, shown in others),
        consents=consents,
    )


def _rows_of(members: Sequence[TeamMember], person_ids: tuple[int, ...]) -> Work[dict[int, int]]:
    """The row of the person at which each of these involvements stands, by the involvement's id."""
    ids = [each.involvement_id for each in members]
    if len(person_ids) == 1:
        return dict.fromkeys(ids, person_ids[0])
    found: dict[int, int] = {}
    for part in chunks(ids):
        found.update((yield Statement(select_in("id, person_id FROM involvement", "id"), part)))
    return found


def own_clients(view: View, *, person_id: int | None = None) -> Work[dict[int, int]]:
    """Row ids of the people whom the viewer works with now, and who each is (`same_person`); or of one row alone."""
    found: dict[int, int] = {}
    day = view.today.isoformat()
    wanted = (person_id is None, person_id)
    for row_id in sorted(view.user.practitioner_ids):
        found.update((yield Statement(_OF_PRACTITIONER, (row_id, day, *wanted))))
    for row_id in sorted(view.user.service_ids):
        found.update((yield Statement(_OF_SERVICE, (row_id, day, *wanted))))
    return found


def own_names(person_ids: Sequence[int], view: View) -> Work[dict[int, tuple[HumanName, ...]]]:
    """What those of these rows are called that are the viewer's clients, as `local_team` would show it."""
    own = yield from own_clients(view)
    named: dict[int, tuple[HumanName, ...]] = {}
    for part in chunks(sorted(own.keys() & set(person_ids))):
        for row_id, names in (yield Statement(select_in("id, names FROM person", "id"), part)):
            named[row_id] = tuple(stored_name(stored) for stored in orjson.loads(names) if not stored["protected"])
    return named


def _shown(team: Team, view: View, consents: tuple[ConsentEntry, ...], grade: MatchGrade) -> tuple[Participation, ...]:
    """What is seen of others' work; each involvement is decided upon for itself, so they may come one by one."""
    if view.agreements is None:
        return ()
    return visible_team(
        team,
        view.user,
        view.need,
        consents=consents,
        agreements=view.agreements,
        accepted=view.accepted,
        today=view.today,
        grade=grade,
    )


def _mine(member: TeamMember, day: str) -> Mine:
    return Mine(
        involvement_id=member.involvement_id,
        shown=show(member, Mode.SCHEDULE, day),
        last_confirmed=member.involvement.last_confirmed,
        by_name=member.practitioner_id is not None,
    )


_OF_PRACTITIONER = (
    "SELECT DISTINCT c.id, c.same_person FROM involvement i JOIN person c ON c.id = i.person_id "
    "WHERE i.practitioner_id = ? AND c.hash IS NOT NULL "
    "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date))) AND (? OR c.id = ?)"
)
_OF_SERVICE = (
    "SELECT DISTINCT c.id, c.same_person FROM involvement i JOIN person c ON c.id = i.person_id "
    "WHERE i.service_id = ? AND i.practitioner_id IS NULL AND c.hash IS NOT NULL "
    "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date))) AND (? OR c.id = ?)"
)
