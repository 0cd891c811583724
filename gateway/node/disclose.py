"""What leaves the node of a matched person's team: exactly what its Permits allow, within one answer's size. Pure.

(1) Below `probable` nobody is sure whose team this is: nothing.
(2) Each permitted involvement is cut down to what its mode shows (docs/policy.md); modes below `duty-contact` show
    nothing, and an involvement without a Permit leaves no trace: no place-holder, count, order or rule.
(3) Nothing remains: NOTHING_TO_DISCLOSE, the same value as for an unknown person.
(4) Named people come leads first, as the team has them; duty contacts after them, each once and by name, so that
    neither number nor order says anything about who is behind them.
(5) What does not fit is cut, leads last: the rest become duty contacts, then duty contacts go; `truncated` says so.
    What cannot be sent at all is not disclosed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import orjson

from gateway.days import day_of
from gateway.fhir.bundle import Agency, Participation, build_bundle
from gateway.fhir.text import plain
from gateway.node.team import Team, TeamMember
from gateway.policy.decide import Permit
from gateway.wire.answer import NOTHING_TO_DISCLOSE, Disclosure, NothingToDisclose, deflate_to_fit
from gateway.wire.federation import Member
from mappings.model import ContactEvent, ContactPoint, HumanName, Identifier, Organisation, Practitioner
from mappings.vocabulary import MatchGrade, Mode

MAX_SHOWN: Final = 100  # participants of one answer; more named people than its 8 KiB ever hold

Participations = list[Participation]


def disclose(
    team: Team,
    permits: Sequence[tuple[int, Permit]],
    *,
    member: Member,
    jti: str,
    grade: MatchGrade,
    policy_uri: str,
    policy_version: str,
    now: float,
) -> Disclosure | NothingToDisclose:
    """Build what `permits` let leave; each pairs an index into `team.involvements` with its Permit.

    `member` is this node as the federation document has it, `now` in epoch seconds. The answer names the rule that
    allowed the most; the ledger keeps them all.
    """
    # (1)
    if grade.rank < MatchGrade.PROBABLE.rank:
        return NOTHING_TO_DISCLOSE
    # (2)
    today = day_of(int(now)).isoformat()
    permitted = [(index, permit) for index, permit in permits if permit.mode >= Mode.DUTY_CONTACT]
    shown = [show(team.involvements[index], permit.mode, today) for index, permit in permitted]
    # (3)
    if not shown:
        return NOTHING_TO_DISCLOSE
    # (4)
    agency, shown = _within(member, shown)
    named = sorted((each for each in shown if not each.is_desk), key=lambda each: not each.lead)
    desks = [each for each in shown if each.is_desk]
    # (5)
    answer = _Answer(agency, jti, grade, now)
    written, truncated = answer.cut_to_fit(named, desks)
    if written is None:
        return NOTHING_TO_DISCLOSE
    return Disclosure(
        policy_uri=policy_uri,
        policy_version=policy_version,
        rule=max((permit for _, permit in permitted), key=lambda permit: permit.mode).rule,
        bundle=written.bundle,
        deflated=written.deflated,
        truncated=truncated,
    )


def show(member: TeamMember, mode: Mode, today: str) -> Participation:
    """One involvement as its mode shows it. A practitioner without a name that may be shown is a duty contact."""
    practitioner = member.practitioner
    if mode < Mode.PRACTITIONER or (practitioner is not None and not _can_be_named(practitioner.name)):
        return Participation(organisation=member.organisation, service=member.service)
    involvement = member.involvement
    scheduled = mode >= Mode.SCHEDULE and practitioner is not None
    away_until = _away_until(practitioner, today)
    return Participation(
        organisation=member.organisation,
        service=member.service,
        practitioner=practitioner,
        role=involvement.role,
        start=involvement.start,
        end=involvement.end,
        lead=involvement.lead,
        last_confirmed=involvement.last_confirmed,
        away_until=away_until,
        cover=_cover(member.cover, today) if away_until else None,
        last_contact=_last_contact(member.contact_events, today) if scheduled else None,
        next_visit=_next_visit(member.contact_events, today) if scheduled else None,
    )


def _can_be_named(name: HumanName) -> bool:
    return not name.protected and (plain(name.family) != "" or any(plain(part) for part in name.given))


def _away_until(practitioner: Practitioner | None, today: str) -> str | None:
    """The last day of an absence that is not over; a partial date lasts to its end."""
    until = None if practitioner is None else practitioner.away_until
    return until if until is not None and until >= today[: len(until)] else None


def _cover(cover: Practitioner | None, today: str) -> Practitioner | None:
    """Who stands in, if they can be named: whoever is away themselves covers nobody."""
    if cover is None or not _can_be_named(cover.name) or _away_until(cover, today):
        return None
    return cover


def _last_contact(events: Iterable[ContactEvent], today: str) -> ContactEvent | None:
    """The newest past contact. A partial date is compared with as much of today."""
    past = (each for each in events if not each.planned and each.date <= today[: len(each.date)])
    return max(past, key=lambda each: each.date, default=None)


def _next_visit(events: Iterable[ContactEvent], today: str) -> ContactEvent | None:
    """The nearest planned visit; one whose day has passed is no longer ahead."""
    ahead = (each for each in events if each.planned and each.date >= today[: len(each.date)])
    return min(ahead, key=lambda each: each.date, default=None)


def _within(member: Member, shown: Participations) -> tuple[Agency, Participations]:
    """The agency as a whole, and the participations with organisations only where these are a part of it.

    A source names the agency itself too; then the duty contact that the source keeps is the better one.
    """
    duty_contact = _points(member.duty_contact)
    within: Participations = []
    for each in shown:
        organisation = each.organisation
        if organisation is not None and _is_itself(organisation, member):
            duty_contact = organisation.duty_contact or duty_contact
            within.append(replace(each, organisation=None))
        else:
            within.append(each)
    organisation = Organisation(
        key=member.id,
        name=member.name,
        type=member.type,
        identifiers=tuple(Identifier(system=system, value=value) for system, value in member.identifier),
        duty_contact=duty_contact,
    )
    return Agency(id=member.id, organisation=organisation), within


def _is_itself(organisation: Organisation, member: Member) -> bool:
    return organisation.name == member.name or any(
        (identifier.system, identifier.value) in member.identifier for identifier in organisation.identifiers
    )


def _points(pairs: Iterable[tuple[str, str]]) -> tuple[ContactPoint, ...]:
    return tuple(ContactPoint(system=system, value=value, rank=rank) for rank, (system, value) in enumerate(pairs, 1))


def _desks(participations: Iterable[Participation]) -> Participations:
    """Duty contacts, each once, ordered by name."""
    desks = (Participation(organisation=each.organisation, service=each.service) for each in participations)
    return sorted(dict.fromkeys(desks), key=_desk_name)


def _desk_name(desk: Participation) -> tuple[str, str]:
    return desk.organisation.name if desk.organisation else "", desk.service.name if desk.service else ""


class _Written(NamedTuple):
    """A bundle that fits, as it is signed and as it is carried."""

    bundle: bytes
    deflated: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    """Writes the bundle, and finds how much of it fits."""

    agency: Agency
    jti: str
    grade: MatchGrade
    now: float

    def write(self, participations: Participations) -> _Written | None:
        """None if it does not fit."""
        bundle = orjson.dumps(
            build_bundle(participations, agency=self.agency, jti=self.jti, grade=self.grade, now=self.now)
        )
        deflated = deflate_to_fit(bundle)
        return None if deflated is None else _Written(bundle, deflated)

    def cut_to_fit(self, named: Participations, desks: Participations) -> tuple[_Written | None, bool]:
        """The largest that fits of: all; the first named with the rest as duty contacts; the first duty contacts.

        None if not even one duty contact fits; and whether anything was cut.
        """
        everything = named + _desks(desks)
        if len(everything) <= MAX_SHOWN and (written := self.write(everything)):
            return written, False
        # named[:n] for n from most to none, then ever fewer duty contacts: sizes only fall, so halving finds the cut.
        all_desks = _desks(named + desks)[:MAX_SHOWN]
        cuts = [all_desks[:count] for count in range(1, len(all_desks) + 1)]
        cuts += [
            named[:count] + _desks(named[count:] + desks)[: MAX_SHOWN - count]
            for count in range(1, min(len(named), MAX_SHOWN))
        ]
        best: _Written | None = None
        low, high = 0, len(cuts)
        while low < high:
            middle = (low + high) // 2
            written = self.write(cuts[middle])
            if written is not None:
                best, low = written, middle + 1
            else:
                high = middle
        return best, True
