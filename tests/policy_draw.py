"""Draws agreements, people and questions as plain data, as tests/vectors/policy/*.toml writes them: valid, and odd."""

import random
from datetime import date
from typing import Any

from tests.reference_policy import SHOWN, SIGN_INS

PURPOSES = ["COC", "TREAT", "BTG"]
BASES = ["consent", "public-task", "vital-interests"]
TYPES = {"childrens-services": "local-authority", "community-trust": "nhs-trust", "police": "police-force"}
WHO = ["*", "local-authority", "nhs-trust", "police-force", "childrens-services", "police"]
SERVICES = ["CAMHS", "meals"]
SOME_DAY = date(2026, 11, 22)


def some(chance: random.Random, values: list[str], most: int = 3) -> list[str]:
    return chance.sample(values, chance.randint(1, min(most, len(values))))


def some_agreement(chance: random.Random) -> dict[str, Any]:
    return {
        "uri": "https://example.org/generated",
        "version": "1",
        "name": "Generated",
        "contact": "governance@example.org",
        "data": ["who is involved"],
        "purpose": PURPOSES,
        "start_date": date(2026, 1, 1),
        "end_date": date(2026, 11, 22),
        "permitted_use": ["odrl:read"],
        "identifier": {"system": "https://example.org/id", "value": "1"},
        "party": [{"name": "All", "catalogue_id": list(TYPES)}],
        "rule": [some_rule(chance, f"rule-{number}") for number in range(chance.randint(1, 6))],
    }


def some_rule(chance: random.Random, name: str) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": name,
        "effect": chance.choice(["permit", "permit", "permit", "permit", "review", "deny"]),
        "purposes": some(chance, PURPOSES),
        "lawful_bases": some(chance, BASES),
        "recipients": chance.choice([["*"], ["*"], some(chance, WHO)]),
        "except_recipients": chance.choice([[], [], some(chance, WHO, 1)]),
        "services": chance.choice([["*"], some(chance, SERVICES)]),
        "sensitivity": some(chance, ["N", "R", "V"]),
    }
    if rule["effect"] == "deny":
        return rule
    basis = chance.choice(BASES)
    rule |= {
        "ask": chance.choice([["*"], ["*"], some(chance, WHO)]),
        "mode": chance.choice(SHOWN),
        "disclosure_basis": basis,
    }
    rule["obligations"] = chance.choice([[], ["delete-after-24-hours"]])
    if rule["effect"] == "permit":
        rule["needs_consent"] = basis == "consent" or chance.random() < 0.3
        rule["on_objection"] = chance.choice(
            ["deny", "review"] + (["proceed-and-record"] if basis != "consent" else [])
        )
        rule["min_grade"] = chance.choice(["probable", "probable", "certain"])
        rule["min_auth"] = chance.choice(SIGN_INS)
    return rule


def some_facts(chance: random.Random) -> dict[str, Any]:
    asker, answerer = chance.sample(sorted(TYPES), 2)
    purpose = chance.choice(PURPOSES)
    question = {
        "purpose": purpose,
        "lawful_basis": chance.choice(BASES),
        "agreement_uri": "https://example.org/generated" + ("/other" if chance.random() < 0.01 else ""),
        "agreement_version": chance.choice(["1"] * 50 + ["2"]),
        "mode": chance.choice([*SHOWN, "schedule", "schedule"]) if chance.random() < 0.99 else "none",
        "auth_method": chance.choice([*SIGN_INS, "mfa"]),
    }
    if (purpose == "BTG") != (chance.random() < 0.02):
        question["break_glass"] = "immediate-danger"
    return {
        "question": question,
        "asker": {"id": asker, "type": TYPES[asker]},
        "answerer": {"id": answerer, "type": TYPES[answerer]},
        "involvement": {
            "service": chance.choice([*SERVICES, ""]),
            "sensitivity": chance.choice(["N", "N", "R", "V"]),
            "max_mode": chance.choice([*SHOWN, "schedule", "schedule"]) if chance.random() < 0.99 else "none",
            "start": chance.choice([None, None, None, "2026", "2026-11-22", "2026-11-23"]),
            "end": chance.choice([None, None, None, "2026", "2026-11", "2026-11-21"]),
        },
        "grade": chance.choice(["certain", "certain", "probable", "probable", "probable", "possible"]),
        "in_force": chance.random() < 0.98,
        "person_restricted": chance.random() < 0.02,
        "today": SOME_DAY,
        "consents": [some_entry(chance) for _ in range(chance.choice([0, 1, 1, 2, 3, 5]))],
    }


def some_entry(chance: random.Random, kind: str = "") -> dict[str, Any]:
    kind = kind or chance.choice(["consent", "consent", "withdrawal", "objection", "objection"])
    lines = [
        some_line(chance, kind) for _ in range(chance.randint(1, 3) if kind == "consent" else chance.randint(0, 1))
    ]
    entry: dict[str, Any] = {"kind": kind, "provisions": lines}
    if chance.random() < 0.3:
        entry |= {"relation": chance.choice(["parent", "attorney"]), "reference": chance.choice(["r1", "r2"])}
    if kind != "withdrawal" and chance.random() < 0.2:
        entry["until"] = chance.choice(["2026-11-21", "2026-11-22"])
    return entry


def some_line(chance: random.Random, kind: str) -> dict[str, Any]:
    return {
        "permit": kind == "consent" and chance.random() < 0.75,
        "mode": chance.choice(SHOWN),
        "purposes": chance.choice([[], [], some(chance, PURPOSES)]),
        "recipients": chance.choice([[], [], some(chance, WHO[1:])]),
        "except_recipients": chance.choice([[], [], [], some(chance, WHO[1:], 1)]),
        "services": chance.choice([[], some(chance, SERVICES)]),
    }
