"""Small agreements for tests: one valid text, and changes to it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gateway.policy.agreement import Agreement, read_agreement
from gateway.policy.toml_text import toml_text

RULE: Mapping[str, Any] = {
    "id": "coordination",
    "effect": "permit",
    "purposes": ["COC"],
    "lawful_bases": ["public-task"],
    "ask": ["*"],
    "recipients": ["*"],
    "services": ["*"],
    "sensitivity": ["N", "R", "V"],
    "mode": "practitioner",
    "needs_consent": False,
    "disclosure_basis": "public-task",
    "article9_condition": "health-or-social-care",
    "on_objection": "deny",
    "min_grade": "probable",
    "min_auth": "password",
}
_DENIAL = {"id", "effect", "purposes", "lawful_bases", "recipients", "except_recipients", "services", "sensitivity"}
_REVIEW = _DENIAL | {"ask", "mode", "disclosure_basis", "article9_condition", "obligations"}


def rule(name: str, **changed: Any) -> dict[str, Any]:
    """A permit as RULE has it, with changes; of denials and reviews only what they may have."""
    whole = {**RULE, "id": name, **changed}
    keys = {"deny": _DENIAL, "review": _REVIEW}.get(whole["effect"], whole.keys())
    return {key: value for key, value in whole.items() if key in keys}


def document(*rules: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """A valid agreement between a council, a trust and a landlord, as its TOML has it."""
    return {
        "uri": "https://example.org/agreements/small",
        "version": "1",
        "name": "A small agreement",
        "contact": "governance@example.org",
        "data": ["who is involved"],
        "purpose": ["COC"],
        "start_date": date(2026, 1, 1),
        "end_date": date(2026, 12, 31),
        "permitted_use": ["odrl:read"],
        "identifier": {"system": "https://example.org/id", "value": "small"},
        "party": [{"name": "All", "catalogue_id": ["council", "trust", "landlord"]}],
        "rule": list(rules),
        **changed,
    }


def agreed(*rules: Mapping[str, Any], **changed: Any) -> Agreement:
    """The same, read."""
    return read_agreement(toml_text(document(*rules, **changed)).encode(), "small.toml")
