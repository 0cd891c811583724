"""Puts the question, a team and its consents before policy/decide.py, and keeps what was decided for the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from consent_ledger.consent import ConsentEntry, effective
from gateway.matching.mais import mais_score
from gateway.matching.score import Match, Scored
from gateway.node.agreements import AgreementsInForce
from gateway.node.team import Team, TeamMember
from gateway.policy.agreement import Agreement
from gateway.policy.decide import (
    Decision,
    DecisionInputs,
    InvolvementFacts,
    MemberFacts,
    QuestionFacts,
    as_record,
    decide,
)
from gateway.wire.federation import Member
from gateway.wire.query import VerifiedQuery
from mappings.vocabulary import MatchGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision for each involvement, in the team's order, with the inputs that each rests on."""

    agreement: Agreement | None = None
    inputs: tuple[DecisionInputs, ...] = ()
    decisions: tuple[Decision, ...] = ()
    involvement_ids: tuple[int, ...] = ()

    def question_record(self, match: Match) -> dict[str, Any]:
        """What decide() took from the question and the match, as plain data for the ledger; no subject."""
        record: dict[str, Any] = {"match": None if match.best is None else _match_record(match.best)}
        if self.inputs:
            first = self.inputs[0]
            record |= {
                "purpose": first.question.purpose.value,
                "lawful_basis": first.question.lawful_basis.value,
                "agreement": [first.question.agreement_uri, first.question.agreement_version],
                "mode": first.question.mode.code,
                "auth_method": first.question.auth_method.value,
                "break_glass": first.question.break_glass,
                "asker": [first.asker.id, first.asker.type],
                "answerer": [first.answerer.id, first.answerer.type],
                "in_force": first.in_force,
                "restricted": first.person_restricted,
                "today": first.today.isoformat(),
            }
        return record

    def records(self) -> list[Mapping[str, Any]]:
        """One record for each involvement: what was weighed, and what came out."""
        return [
            {"involvement": involvement_id} | as_record(inputs, decision)
            for involvement_id, inputs, decision in zip(self.involvement_ids, self.inputs, self.decisions, strict=True)
        ]


def _match_record(best: Scored) -> dict[str, Any]:
    """How sure the match was and why: levels as words, nothing that was typed or stored."""
    return {
        "grade": best.grade.value,
        "score": round(best.score, 1),
        "probability": round(best.probability, 5),
        "fields": {result.field: [result.level, round(result.weight, 1)] for result in best.explanation},
        "mais": mais_score(best.levels)._asdict(),
    }


def decide_team(
    team: Team | None,
    *,
    query: VerifiedQuery,
    grade: MatchGrade,
    consents: Sequence[ConsentEntry],
    agreements: AgreementsInForce,
    accepted: frozenset[str],
    today: date,
) -> Decided:
    """Decide every involvement of a team; without a team there is nothing to decide."""
    if team is None:
        return Decided()
    question = query.query
    agreement = agreements.with_member(
        question.agreement_uri, question.agreement_version, question.issuer, accepted=accepted, today=today
    )
    return decide_as(
        team,
        facts=QuestionFacts(
            purpose=question.purpose,
            lawful_basis=question.lawful_basis,
            agreement_uri=question.agreement_uri,
            agreement_version=question.agreement_version,
            mode=question.mode,
            auth_method=question.auth_method,
            break_glass=question.break_glass,
        ),
        asker=query.sender,
        answerer=agreements.federation.members[agreements.me],
        agreement=agreement,
        grade=grade,
        consents=consents,
        today=today,
    )


def decide_as(
    team: Team,
    *,
    facts: QuestionFacts,
    asker: Member,
    answerer: Member,
    agreement: Agreement | None,
    grade: MatchGrade,
    consents: Sequence[ConsentEntry],
    today: date,
) -> Decided:
    """Decide every involvement for whoever asks; `agreement` is the one in force between the two, or None."""
    asking = MemberFacts(id=asker.id, type=asker.type)
    answering = MemberFacts(id=answerer.id, type=answerer.type)
    inputs = tuple(
        DecisionInputs(
            question=facts,
            asker=asking,
            answerer=answering,
            involvement=_facts(each),
            consent=effective(
                consents,
                purpose=facts.purpose,
                recipient=asker.id,
                recipient_type=asker.type,
                service=_service(each),
                today=today,
            ),
            grade=grade,
            agreement=agreement,
            in_force=agreement is not None,
            person_restricted=team.restricted,
            today=today,
        )
        for each in team.involvements
    )
    return Decided(
        agreement=agreement,
        inputs=inputs,
        decisions=tuple(decide(each) for each in inputs),
        involvement_ids=tuple(each.involvement_id for each in team.involvements),
    )


def _facts(member: TeamMember) -> InvolvementFacts:
    involvement = member.involvement
    return InvolvementFacts(
        service=_service(member),
        sensitivity=involvement.sensitivity,
        max_mode=involvement.max_mode,
        start=involvement.start,
        end=involvement.end,
    )


def _service(member: TeamMember) -> str:
    return member.service.code if member.service is not None else ""
