"""What a results page shows, from what is known so far: who, how sure, and who has not been heard. Pure.

Nothing that stands on the page ever moves: each agency has a line of its own from the beginning, and what arrives later
is put below what is there (`team_groups` of the later results). A page that is fetched anew is sorted as a whole.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.node.merge import TeamRow
from gateway.node.results import Asked, MemberOutcome, MemberResult
from gateway.node.results_words import N_, Translate, outcome
from gateway.web.contact_links import Way, way, ways
from gateway.wire.federation import Member
from gateway.wire.query import Subject
from mappings.vocabulary import MatchGrade

FULL_DATE: Final = len("2010-03-04")


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """One card. `place` names it within its search; `doubtful` that its agency does not vouch for the match at all."""

    place: str
    row: TeamRow
    ways: tuple[Way, ...]
    cover_ways: tuple[Way, ...]
    doubtful: bool

    @property
    def is_duty_contact(self) -> bool:
        """Whether no person was named, only whom to ask."""
        return not self.row.professional


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyTeam:
    """The people of one agency within one group, leads first."""

    agency: str
    people: tuple[Professional, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All agencies that are equally sure of whom they speak."""

    certain: bool
    teams: tuple[AgencyTeam, ...]


class State(StrEnum):
    """What an agency's line looks like."""

    WAITING = "waiting"
    FOUND = "found"
    NOTHING = "nothing"
    SILENT = "silent"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyLine:
    """One agency that is asked; `number` is its place among them, `duty` whom to phone if it did not answer."""

    number: int
    member: str
    name: str
    state: State
    said: str
    duty: tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The line above the results. `asked` counts agencies, `found` professionals and duty contacts."""

    asked: int
    answered: int
    silent: int
    found: int
    over: bool

    @property
    def waiting(self) -> int:
        """How many agencies are still expected to answer."""
        return 0 if self.over else self.asked - self.answered - self.silent


def team_groups(results: Iterable[tuple[int, MemberResult]]) -> tuple[Group, ...]:
    """Teams of numbered results: whom an agency is certain of first, and agencies by name within each group."""
    found: dict[bool, dict[tuple[str, int], list[Professional]]] = {True: {}, False: {}}
    for number, result in results:
        for place, row in enumerate(result.rows):
            of_group = found[row.grade is MatchGrade.CERTAIN]
            agency = (row.agency, number)
            of_group.setdefault(agency, []).append(_professional(f"{number}-{place}", row))
    return tuple(
        Group(
            certain=certain,
            teams=tuple(
                AgencyTeam(agency=agency, people=tuple(people))
                for (agency, _), people in sorted(teams.items(), key=lambda item: (item[0][0].casefold(), item[0][1]))
            ),
        )
        for certain, teams in found.items()
        if teams
    )


def agency_lines(
    asked: Asked,
    results: Sequence[MemberResult],
    *,
    over: bool,
    expired: Collection[str] = (),
    translate: Translate = N_,
) -> tuple[AgencyLine, ...]:
    """A line for each agency asked, by name; their order and number never change while answers arrive."""
    by_member = {result.member.id: result for result in results}
    members = sorted(asked.members, key=lambda member: (member.name.casefold(), member.id))
    return tuple(
        _line(number, member, by_member.get(member.id), over, member.id in expired, translate)
        for number, member in enumerate(members)
    )


def summary(asked: Asked, results: Sequence[MemberResult], *, over: bool) -> Summary:
    """How many have been heard."""
    answered = sum(result.outcome.answered for result in results)
    return Summary(
        asked=len(asked.members),
        answered=answered,
        silent=len(asked.members) - answered if over else len(results) - answered,
        found=sum(len(result.rows) for result in results),
        over=over,
    )


def is_vague(subject: Subject) -> bool:
    """Whether an agency could hardly be sure whom this means: docs/matching.md, "Guard"."""
    has_day = subject.birth_date is not None and len(subject.birth_date) == FULL_DATE
    return not (has_day or (subject.identifiers and subject.names))


def _professional(place: str, row: TeamRow) -> Professional:
    return Professional(
        place=place,
        row=row,
        ways=ways(row.contact_points),
        cover_ways=ways(row.cover.contact_points) if row.cover is not None else (),
        doubtful=row.grade.rank < MatchGrade.PROBABLE.rank,
    )


def _line(
    number: int, member: Member, result: MemberResult | None, over: bool, expired: bool, translate: Translate
) -> AgencyLine:
    if result is None:
        state = State.SILENT if over else State.WAITING
        said = translate(N_("did not answer") if over else N_("is being asked"))
    else:
        state = State.EXPIRED if expired else _state(result.outcome)
        said = translate(N_("its answer may no longer be shown")) if expired else outcome(result, translate)
    duty = tuple(way(system, value) for system, value in member.duty_contact) if state is State.SILENT else ()
    return AgencyLine(number=number, member=member.id, name=member.name, state=state, said=said, duty=duty)


def _state(said: MemberOutcome) -> State:
    if said is MemberOutcome.TEAMS:
        return State.FOUND
    return State.NOTHING if said.answered else State.SILENT
