"""Who may learn of one involvement, and how much. Pure; default deny; every decision carries its reason.

`decide()` is the only maker of a `Permit`, and `node/disclose.py` accepts nothing else. It runs once per involvement:

(1) the claim holds together: a grade that discloses, break-glass claimed with its purpose and only with it
(2) the agreement is the one named, and in force today between these two members
(3) the person is not restricted as a whole; the involvement is current and open
(4) rules that apply: any deny -> deny; else any review, else the permit with the highest mode, ties by file order
(5) shielded services: explicit consent for that service, break-glass, or the call-back that the service chose
(6) caps: mode requested, involvement, rule, consent, objection
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from consent_ledger.consent import ConsentState
from gateway.policy.agreement import Agreement, Effect, OnObjection, Rule
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose, Sensitivity


class Reason(StrEnum):
    """Why nothing is disclosed; kept in the local ledger, never sent."""

    GRADE_TOO_LOW = "grade-too-low"
    BREAK_GLASS_MISMATCH = "break-glass-mismatch"
    NOTHING_REQUESTED = "nothing-requested"
    NO_AGREEMENT = "no-agreement"
    OTHER_AGREEMENT = "other-agreement"
    NOT_IN_FORCE = "not-in-force"
    PERSON_RESTRICTED = "person-restricted"
    NOT_CURRENT = "not-current"
    INVOLVEMENT_CLOSED = "involvement-closed"
    NO_RULE = "no-rule"
    AUTH_TOO_WEAK = "auth-too-weak"
    DENIED_BY_RULE = "denied-by-rule"
    SHIELDED = "shielded"
    NO_CONSENT = "no-consent"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFacts:
    """What the verified question claims. `break_glass` is a reason code."""

    purpose: Purpose
    lawful_basis: LawfulBasis
    agreement_uri: str
    agreement_version: str
    mode: Mode
    auth_method: AuthMethod
    break_glass: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFacts:
    """A member's id and MAIS organisation code, from the federation document."""

    id: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvolvementFacts:
    """What decides about one involvement. `service` is a MAIS service code or empty; dates are ISO, maybe partial."""

    service: str
    sensitivity: Sensitivity
    max_mode: Mode
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """Everything that a decision rests on. `in_force` is `agreement.in_force()` for the two members."""

    question: QuestionFacts
    asker: MemberFacts
    answerer: MemberFacts
    involvement: InvolvementFacts
    consent: ConsentState
    grade: MatchGrade
    agreement: Agreement | None
    in_force: bool
    person_restricted: bool
    today: date


_DECIDED = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Leave to disclose one involvement up to `mode`, by `rule`. `consent` is the ledger seq that a rule needed.

    `against_objection`: the rule proceeds although the person objects, and that is on record.
    """

    rule: str
    mode: Mode
    obligations: tuple[str, ...]
    consent: int | None
    against_objection: bool
    decided: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse any maker but decide(); raises TypeError."""
        if self.decided is not _DECIDED:
            raise TypeError("only decide() makes a Permit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Nothing of this involvement is disclosed; `rule` names the one that decided, if any."""

    reason: Reason
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A person of this agency must decide, by `rule`; `mode` is the most that could then be disclosed."""

    rule: str
    mode: Mode


Decision = Permit | Deny | Review


def decide(inputs: DecisionInputs) -> Decision:
    """Decide one involvement; the steps are those of the module's docstring."""
    refusal = _refuse_claim(inputs) or _refuse_agreement(inputs) or _refuse_involvement(inputs)  # (1) (2) (3)
    if refusal is not None:
        return refusal
    chosen = _choose(inputs)  # (4)
    if isinstance(chosen, Deny):
        return chosen
    # (5) a shielded service is as if it did not exist, before anything else can be said of it
    shield = _shield(inputs, chosen)
    if shield is Mode.NONE:
        return Deny(reason=Reason.SHIELDED, rule=chosen.id)
    mode = min(chosen.mode, inputs.question.mode, inputs.involvement.max_mode, shield)  # (6)
    if chosen.effect is Effect.REVIEW:
        return Review(rule=chosen.id, mode=mode)
    return _cap(inputs, chosen, mode)


def _refuse_claim(inputs: DecisionInputs) -> Deny | None:
    """(1)"""
    question = inputs.question
    if inputs.grade.rank < MatchGrade.PROBABLE.rank:
        return Deny(reason=Reason.GRADE_TOO_LOW)
    if (question.purpose is Purpose.BREAK_GLASS) != (question.break_glass is not None):
        return Deny(reason=Reason.BREAK_GLASS_MISMATCH)
    return Deny(reason=Reason.NOTHING_REQUESTED) if question.mode is Mode.NONE else None


def _refuse_agreement(inputs: DecisionInputs) -> Deny | None:
    """(2)"""
    agreement, question = inputs.agreement, inputs.question
    if agreement is None:
        return Deny(reason=Reason.NO_AGREEMENT)
    if (question.agreement_uri, question.agreement_version) != (agreement.uri, agreement.version):
        return Deny(reason=Reason.OTHER_AGREEMENT)
    if not (inputs.in_force and agreement.start_date <= inputs.today <= agreement.end_date):
        return Deny(reason=Reason.NOT_IN_FORCE)
    return None


def _refuse_involvement(inputs: DecisionInputs) -> Deny | None:
    """(3) A partial date counts to the precision that it has: an end of `2026` has not passed while it is 2026."""
    if inputs.person_restricted:
        return Deny(reason=Reason.PERSON_RESTRICTED)
    start, end, today = inputs.involvement.start, inputs.involvement.end, inputs.today.isoformat()
    if (start is not None and start > today[: len(start)]) or (end is not None and end < today[: len(end)]):
        return Deny(reason=Reason.NOT_CURRENT)
    return Deny(reason=Reason.INVOLVEMENT_CLOSED) if inputs.involvement.max_mode is Mode.NONE else None


def _choose(inputs: DecisionInputs) -> Rule | Deny:
    """(4) The rule that decides. Where to ask, grade and authentication limit who is let in, never what is denied."""
    assert inputs.agreement is not None  # noqa: S101 - (2) has refused; tells the type checker
    speaking = [rule for rule in inputs.agreement.rules if _speaks(rule, inputs)]
    for rule in speaking:
        if rule.effect is Effect.DENY:
            return Deny(reason=Reason.DENIED_BY_RULE, rule=rule.id)
    asked = [rule for rule in speaking if rule.asks(inputs.answerer.id, inputs.answerer.type)]
    for rule in asked:
        if rule.effect is Effect.REVIEW:
            return rule
    graded = [rule for rule in asked if inputs.grade.rank >= rule.min_grade.rank]
    permits = [rule for rule in graded if inputs.question.auth_method.rank >= rule.min_auth.rank]
    if not permits:
        return Deny(reason=Reason.AUTH_TOO_WEAK if graded else Reason.GRADE_TOO_LOW if asked else Reason.NO_RULE)
    return max(permits, key=lambda rule: rule.mode)  # max() keeps the first of equals: file order


def _speaks(rule: Rule, inputs: DecisionInputs) -> bool:
    """Purposes and bases are compared exactly: `BTG` stands below `TREAT`, and must not pass as treatment."""
    return (
        inputs.question.purpose in rule.purposes
        and inputs.question.lawful_basis in rule.lawful_bases
        and rule.receives(inputs.asker.id, inputs.asker.type)
        and rule.about(inputs.involvement.service)
        and inputs.involvement.sensitivity in rule.sensitivity
    )


def _shield(inputs: DecisionInputs, rule: Rule) -> Mode:
    """(5) The most that an involvement's own sensitivity leaves. A rule with purpose BTG may pass explicit consent."""
    if inputs.involvement.sensitivity is Sensitivity.NORMAL or inputs.question.purpose is Purpose.BREAK_GLASS:
        return Mode.SCHEDULE
    if inputs.consent.explicit is not Mode.NONE:
        return inputs.consent.explicit
    return Mode.CALLBACK if inputs.involvement.max_mode is Mode.CALLBACK else Mode.NONE


def _cap(inputs: DecisionInputs, rule: Rule, mode: Mode) -> Decision:
    """(6) Consent caps where the rule needs it; an objection does as the rule says, from the mode objected to."""
    consent = inputs.consent
    if rule.needs_consent:
        mode = min(mode, consent.permits)
        if mode is Mode.NONE:
            return Deny(reason=Reason.NO_CONSENT, rule=rule.id)
    objected = consent.refused_from is not None and mode >= consent.refused_from
    if objected and rule.on_objection is OnObjection.REVIEW:
        return Review(rule=rule.id, mode=mode)
    if objected and rule.on_objection is OnObjection.DENY and consent.refused_from is not None:
        mode = Mode(consent.refused_from - 1)
        objected = False
        if mode is Mode.NONE:
            return Deny(reason=Reason.OBJECTION, rule=rule.id)
    explicit = inputs.involvement.sensitivity is not Sensitivity.NORMAL and consent.explicit is not Mode.NONE
    return Permit(
        rule=rule.id,
        mode=mode,
        obligations=rule.obligations,
        consent=consent.entry if rule.needs_consent or explicit else None,
        against_objection=objected,
        decided=_DECIDED,
    )


def as_record(inputs: DecisionInputs, decision: Decision) -> dict[str, Any]:
    """Inputs and outcome as plain data for the ledger: enough to decide again against a draft, and no subject."""
    involvement, consent = inputs.involvement, inputs.consent
    record: dict[str, Any] = {
        "service": involvement.service,
        "sensitivity": involvement.sensitivity,
        "max_mode": involvement.max_mode.code,
        "start": involvement.start,
        "end": involvement.end,
        "consent": {
            "permits": consent.permits.code,
            "refused_from": consent.refused_from.code if consent.refused_from else None,
            "explicit": consent.explicit.code,
            "entry": consent.entry,
        },
        "grade": inputs.grade,
        "in_force": inputs.in_force,
        "person_restricted": inputs.person_restricted,
    }
    match decision:
        case Permit():
            record |= {"effect": "permit", "rule": decision.rule, "mode": decision.mode.code}
            record |= {"obligations": list(decision.obligations), "against_objection": decision.against_objection}
        case Review():
            record |= {"effect": "review", "rule": decision.rule, "mode": decision.mode.code}
        case Deny():
            record |= {"effect": "deny", "rule": decision.rule, "reason": decision.reason}
    return record
