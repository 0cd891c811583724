"""Decision cases as files: reads tests/vectors/policy/*.toml into what decide() takes."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from consent_ledger.consent import ConsentEntry, ConsentKind, Giver, Provision, Relation, effective
from gateway.policy.agreement import Agreement, read_agreement
from gateway.policy.decide import (
    Decision,
    DecisionInputs,
    Deny,
    InvolvementFacts,
    MemberFacts,
    Permit,
    QuestionFacts,
    Review,
)
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose, Sensitivity

ROOT = Path(__file__).parents[1]
VECTORS = ROOT / "tests" / "vectors" / "policy"
AGREEMENTS = {
    "all-sorts": VECTORS / "agreements" / "all-sorts.toml",
    "consent-above": VECTORS / "agreements" / "consent-above.toml",
    "children-and-families": ROOT / "config" / "agreements" / "children-and-families.toml",
}
FACTS = {"agreement", "grade", "in_force", "person_restricted", "today", "consents"}
TABLES = {"asker", "answerer", "involvement", "question"}


@dataclass(frozen=True)
class Case:
    """One case: where it stands, why it is so, its facts, and the decision expected."""

    name: str
    why: str
    facts: dict[str, Any]
    expect: dict[str, Any]


@cache
def agreement(name: str) -> Agreement:
    """An agreement of the vectors or of the demonstration."""
    return read_agreement(AGREEMENTS[name].read_bytes(), f"{name}.toml")


def load_cases() -> list[Case]:
    """All cases; a fact that no case may have fails the load."""
    base = tomllib.loads((VECTORS / "base.toml").read_text("utf-8"))
    cases = []
    for path in sorted(VECTORS.glob("*.toml")):
        if path.name == "base.toml":
            continue
        for case in tomllib.loads(path.read_text("utf-8"))["case"]:
            name, why, expect = case.pop("name"), case.pop("why"), case.pop("expect")
            assert set(case) <= FACTS | TABLES, f"{path.name}: {name}: unknown fact"
            facts = {
                key: {**base[key], **case.get(key, {})} if key in TABLES else case.get(key, base[key]) for key in base
            }
            cases.append(Case(name=f"{path.stem}: {name}", why=why, facts=facts, expect=expect))
    return cases


def entry(seq: int, said: dict[str, Any]) -> ConsentEntry:
    """A consent entry as the cases write it."""
    return ConsentEntry(
        seq=seq,
        kind=ConsentKind(said["kind"]),
        giver=Giver(relation=Relation(said.get("relation", "person")), reference=said.get("reference", "")),
        until=date.fromisoformat(said["until"]) if "until" in said else None,
        provisions=tuple(
            Provision(
                permit=line["permit"],
                mode=Mode.from_code(line["mode"]),
                purposes=tuple(map(Purpose, line.get("purposes", ()))),
                recipients=tuple(line.get("recipients", ())),
                except_recipients=tuple(line.get("except_recipients", ())),
                services=tuple(line.get("services", ())),
            )
            for line in said.get("provisions", ())
        ),
    )


def inputs(facts: dict[str, Any]) -> DecisionInputs:
    """What decide() takes, with the consents replayed."""
    question = {**facts["question"]}
    involvement = facts["involvement"]
    purpose = Purpose(question["purpose"])
    return DecisionInputs(
        question=QuestionFacts(
            purpose=purpose,
            lawful_basis=LawfulBasis(question["lawful_basis"]),
            agreement_uri=question["agreement_uri"],
            agreement_version=question["agreement_version"],
            mode=Mode.from_code(question["mode"]),
            auth_method=AuthMethod(question["auth_method"]),
            break_glass=question.get("break_glass"),
        ),
        asker=MemberFacts(**facts["asker"]),
        answerer=MemberFacts(**facts["answerer"]),
        involvement=InvolvementFacts(
            service=involvement["service"],
            sensitivity=Sensitivity(involvement["sensitivity"]),
            max_mode=Mode.from_code(involvement["max_mode"]),
            start=involvement.get("start"),
            end=involvement.get("end"),
        ),
        consent=effective(
            [entry(seq, said) for seq, said in enumerate(facts["consents"])],
            purpose=purpose,
            recipient=facts["asker"]["id"],
            recipient_type=facts["asker"]["type"],
            service=involvement["service"],
            today=facts["today"],
        ),
        grade=MatchGrade(facts["grade"]),
        agreement=None if facts["agreement"] == "none" else agreement(facts["agreement"]),
        in_force=facts["in_force"],
        person_restricted=facts["person_restricted"],
        today=facts["today"],
    )


def plain(decision: Decision) -> dict[str, Any]:
    """A decision as the cases write it, with all that it says."""
    match decision:
        case Permit():
            return {
                "effect": "permit",
                "rule": decision.rule,
                "mode": decision.mode.code,
                "obligations": list(decision.obligations),
                "consent": decision.consent,
                "against_objection": decision.against_objection,
            }
        case Review():
            return {"effect": "review", "rule": decision.rule, "mode": decision.mode.code}
        case Deny():
            return {"effect": "deny", "reason": decision.reason.value, "rule": decision.rule}
