"""What an agency's own practitioner may see of a client's team here: the one door for every local view.

Knowing a client does not open what other services of the same agency do for them: a receptionist must not learn that
the trust's sexual-health service knows somebody. So each involvement of others is decided upon as if this agency had
asked itself (docs/policy.md, "An agency's own staff"); one's own are shown as they are. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from consent_ledger.consent import ConsentEntry
from gateway.fhir.bundle import Participation
from gateway.node.agreements import AgreementsInForce
from gateway.node.decisions import decide_as
from gateway.node.disclose import show
from gateway.node.team import Team, TeamMember
from gateway.policy.decide import Permit, QuestionFacts
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUser:
    """Who looks: the rows of this register that are themselves and the services that they work in."""

    practitioner_ids: frozenset[int]
    service_ids: frozenset[int] = frozenset()
    auth_method: AuthMethod

    def has(self, member: TeamMember) -> bool:
        """Whether an involvement is their own, or their service's where it names nobody."""
        if member.practitioner_id is not None:
            return member.practitioner_id in self.practitioner_ids
        return member.service_id in self.service_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Why they look, and the agreement that this agency applies to itself."""

    purpose: Purpose
    lawful_basis: LawfulBasis
    agreement_uri: str
    agreement_version: str
    mode: Mode = Mode.SCHEDULE


def visible_team(
    team: Team,
    user: LocalUser,
    need: Need,
    *,
    consents: Sequence[ConsentEntry],
    agreements: AgreementsInForce,
    accepted: frozenset[str],
    today: date,
    grade: MatchGrade = MatchGrade.CERTAIN,
) -> tuple[Participation, ...]:
    """The involvements that `user` may see, in the team's order, each cut down to what its mode shows.

    Nothing marks what is left out: no place-holder, number or reason. `consents` are the person's under all their ids,
    `accepted` the agreements that this node's officer accepts. Without an agreement in force only one's own is shown.
    A record that is open is known to be the one meant; of somebody who was described, `grade` says how sure that is.
    """
    me = agreements.federation.members[agreements.me]
    decided = decide_as(
        team,
        facts=QuestionFacts(
            purpose=need.purpose,
            lawful_basis=need.lawful_basis,
            agreement_uri=need.agreement_uri,
            agreement_version=need.agreement_version,
            mode=need.mode,
            auth_method=user.auth_method,
        ),
        asker=me,
        answerer=me,
        agreement=agreements.with_member(
            need.agreement_uri, need.agreement_version, me.id, accepted=accepted, today=today
        ),
        grade=grade,
        consents=consents,
        today=today,
    )
    day = today.isoformat()
    seen = []
    for member, decision in zip(team.involvements, decided.decisions, strict=True):
        if user.has(member):
            seen.append(show(member, Mode.SCHEDULE, day))
        elif isinstance(decision, Permit) and decision.mode >= Mode.DUTY_CONTACT:
            seen.append(show(member, decision.mode, day))
    return tuple(seen)
