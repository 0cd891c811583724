"""What comes of each cell in every circumstance that a rule can distinguish, asked of decide() itself. Pure.

A circumstance is how sure the match is, how the asker signed in, and what the person has said. The question asks for
the most there is, the involvement is open and the agreement in force, so that nothing but its rules decides.
"""

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final, NamedTuple

from consent_ledger.consent import ConsentState
from gateway.errors import InputError
from gateway.policy.agreement import Agreement, Rule
from gateway.policy.cells import TOO_MANY, Cell
from gateway.policy.decide import (
    Decision,
    DecisionInputs,
    Deny,
    InvolvementFacts,
    MemberFacts,
    Permit,
    QuestionFacts,
    Reason,
    decide,
)
from mappings.vocabulary import AuthMethod, MatchGrade, Mode, Purpose, Sensitivity

MAX_WEIGHED: Final = 5_000  # rules in cells that differ: done in a second; an agreement of eight rules has thirty
SILENT: Final = "the person has said nothing"
CONSENTS: Final = "the person consents"
NAMES: Final = "the person consents and names the service"
SAID: Final = {
    SILENT: ConsentState(),
    "the person objects": ConsentState(refused_from=Mode.CALLBACK),
    CONSENTS: ConsentState(permits=Mode.SCHEDULE, entry=0),
    NAMES: ConsentState(permits=Mode.SCHEDULE, explicit=Mode.SCHEDULE, entry=0),
}


class Circumstance(NamedTuple):
    """One of the situations in which a question may come; `said` is a key of SAID."""

    said: str
    grade: MatchGrade
    auth: AuthMethod


CIRCUMSTANCES: Final = tuple(
    map(Circumstance._make, product(SAID, (MatchGrade.PROBABLE, MatchGrade.CERTAIN), AuthMethod))
)


@dataclass(frozen=True, slots=True, order=True)
class Outcome:
    """What is learnt, ordered by how much: nothing, perhaps something after a review, something; then its mode.

    `rule` is the one that decided and `reason` why nothing is disclosed; neither counts in comparing.
    """

    disclosed: int
    mode: Mode
    rule: str | None = field(default=None, compare=False)
    reason: Reason | None = field(default=None, compare=False)


NOTHING: Final = Outcome(0, Mode.NONE)


class Outcomes:
    """Decides the cells of one version; the same rules speaking lead to the same outcomes, and are decided once."""

    def __init__(self, agreement: Agreement) -> None:
        """`agreement` is the version that the cells' rules are of."""
        self._agreement = agreement
        self._known: dict[tuple[object, ...], tuple[Outcome, ...]] = {}
        self._weighed = 0

    def of(self, cell: Cell, rules: tuple[Rule, ...]) -> tuple[Outcome, ...]:
        """One outcome for each of CIRCUMSTANCES; raises InputError once that has been far too much to decide."""
        (purpose,), (sensitivity,) = cell.scope.purposes, cell.scope.sensitivity
        key = (*(rule.id for rule in rules), sensitivity is Sensitivity.NORMAL, purpose is Purpose.BREAK_GLASS)
        if key not in self._known:
            self._weighed += 1 + len(rules)
            if self._weighed > MAX_WEIGHED:
                raise InputError(TOO_MANY)
            base = self._inputs(cell, rules)
            self._known[key] = tuple(_outcome(base, each) for each in CIRCUMSTANCES)
        return self._known[key]

    def _inputs(self, cell: Cell, rules: tuple[Rule, ...]) -> DecisionInputs:
        agreement, (asker, asked) = self._agreement, cell.pair
        (purpose,), (basis,), (sensitivity,) = cell.scope.purposes, cell.scope.bases, cell.scope.sensitivity
        return DecisionInputs(
            question=QuestionFacts(
                purpose=purpose,
                lawful_basis=basis,
                agreement_uri=agreement.uri,
                agreement_version=agreement.version,
                mode=Mode.SCHEDULE,
                auth_method=AuthMethod.MFA,
                break_glass="claimed" if purpose is Purpose.BREAK_GLASS else None,
            ),
            asker=MemberFacts(id=asker.member, type=asker.type),
            answerer=MemberFacts(id=asked.member, type=asked.type),
            involvement=InvolvementFacts(
                service=min(cell.scope.services), sensitivity=sensitivity, max_mode=Mode.SCHEDULE
            ),
            consent=ConsentState(),
            grade=MatchGrade.CERTAIN,
            agreement=replace(agreement, rules=rules),
            in_force=True,
            person_restricted=False,
            today=agreement.start_date,
        )


def _outcome(base: DecisionInputs, circumstance: Circumstance) -> Outcome:
    said, grade, auth = circumstance
    question = replace(base.question, auth_method=auth)
    decision: Decision = decide(replace(base, question=question, consent=SAID[said], grade=grade))
    match decision:
        case Permit():
            return Outcome(2, decision.mode, decision.rule)
        case Deny():
            return Outcome(0, Mode.NONE, decision.rule, decision.reason)
    return Outcome(1, decision.mode, decision.rule)
