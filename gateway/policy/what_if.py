"""What a node would have decided, had a draft been in force: logged decisions, decided again. Pure.

An `answered` entry of the ledger holds all that decide() took, but for the agreement, and nothing of the subject
(`as_record` in policy/decide.py, `question_record` in node/decisions.py). Here that is read back and decided under the
draft, as if the same question had named the draft and the draft had been in force on that day.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from consent_ledger.consent import ConsentState
from gateway.policy.agreement import Agreement
from gateway.policy.decide import DecisionInputs, InvolvementFacts, MemberFacts, QuestionFacts, as_record, decide
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose, Sensitivity

_WIDTHS = {"deny": 0, "review": 1, "permit": 2}


class NotReplayed(StrEnum):
    """Why an entry says nothing about a draft."""

    NOBODY = "nobody"  # no person, or a person without involvements: nothing was decided
    OTHER_AGREEMENT = "other-agreement"  # the question named an agreement of another address
    INCOMPLETE = "incomplete"  # an input of decide() is not on record


class Told(NamedTuple):
    """A decision as the ledger has it."""

    effect: str
    mode: Mode
    rule: str | None
    reason: str | None
    against_objection: bool
    obligations: tuple[str, ...]

    @property
    def width(self) -> tuple[int, Mode]:
        """How much it discloses: nothing, perhaps something after a review, something; and up to which mode."""
        return _WIDTHS[self.effect], self.mode


class Replayed(NamedTuple):
    """One involvement's decision, as it was made and as the draft would have it."""

    asker: str
    purpose: Purpose
    before: Told
    after: Told

    @property
    def changed(self) -> bool:
        """Whether anything but the deciding rule, or the reason of a refusal, would be different."""
        return _outcome(self.before) != _outcome(self.after)


def replay(body: Mapping[str, Any], draft: Agreement) -> list[Replayed] | NotReplayed:
    """Decide all of one `answered` entry again; `body` is the opened entry's."""
    if not body.get("decisions"):
        return NotReplayed.NOBODY
    try:
        question = body["question"]
        if question["agreement"][0] != draft.uri:
            return NotReplayed.OTHER_AGREEMENT
        in_force_then = replace(draft, start_date=date.min, end_date=date.max)
        return [_replay(question, record, in_force_then) for record in body["decisions"]]
    except (KeyError, TypeError, ValueError, IndexError):
        return NotReplayed.INCOMPLETE


def recorded_inputs(
    question: Mapping[str, Any], record: Mapping[str, Any], agreement: Agreement | None
) -> DecisionInputs:
    """What decide() took, from the entry's `question` and one of its `decisions`; raises KeyError, ValueError."""
    consent = record["consent"]
    return DecisionInputs(
        question=QuestionFacts(
            purpose=Purpose(question["purpose"]),
            lawful_basis=LawfulBasis(question["lawful_basis"]),
            agreement_uri=question["agreement"][0],
            agreement_version=question["agreement"][1],
            mode=Mode.from_code(question["mode"]),
            auth_method=AuthMethod(question["auth_method"]),
            break_glass=question["break_glass"],
        ),
        asker=MemberFacts(id=question["asker"][0], type=question["asker"][1]),
        answerer=MemberFacts(id=question["answerer"][0], type=question["answerer"][1]),
        involvement=InvolvementFacts(
            service=record["service"],
            sensitivity=Sensitivity(record["sensitivity"]),
            max_mode=Mode.from_code(record["max_mode"]),
            start=record["start"],
            end=record["end"],
        ),
        consent=ConsentState(
            permits=Mode.from_code(consent["permits"]),
            refused_from=None if consent["refused_from"] is None else Mode.from_code(consent["refused_from"]),
            explicit=Mode.from_code(consent["explicit"]),
            entry=consent["entry"],
        ),
        grade=MatchGrade(record["grade"]),
        agreement=agreement,
        in_force=record["in_force"],
        person_restricted=record["person_restricted"],
        today=date.fromisoformat(question["today"]),
    )


def _replay(question: Mapping[str, Any], record: Mapping[str, Any], draft: Agreement) -> Replayed:
    inputs = recorded_inputs(question, record, draft)
    inputs = replace(
        inputs,
        question=replace(inputs.question, agreement_uri=draft.uri, agreement_version=draft.version),
        in_force={inputs.asker.id, inputs.answerer.id} <= draft.members,
    )
    return Replayed(
        asker=inputs.asker.id,
        purpose=inputs.question.purpose,
        before=_told(record),
        after=_told(as_record(inputs, decide(inputs))),
    )


def _told(record: Mapping[str, Any]) -> Told:
    if record["effect"] not in _WIDTHS:
        raise ValueError("no such effect")
    return Told(
        effect=record["effect"],
        mode=Mode.from_code(record["mode"]) if record["effect"] != "deny" else Mode.NONE,
        rule=record["rule"],
        reason=record.get("reason"),
        against_objection=record.get("against_objection", False),
        obligations=tuple(record.get("obligations", ())),
    )


def _outcome(told: Told) -> tuple[object, ...]:
    return told.effect, told.mode, told.against_objection, told.obligations
