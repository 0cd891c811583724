"""decide() on cases from files, and what must hold of its types."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.policy.decide import Deny, Permit, Review, as_record, decide
from mappings.vocabulary import Mode
from tests.policy_cases import Case, inputs, load_cases

CASES = load_cases()
EFFECTS = {Permit: "permit", Deny: "deny", Review: "review"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_is_decided_as_its_file_says(case: Case) -> None:
    decision = decide(inputs(case.facts))
    found: dict[str, Any] = {"effect": EFFECTS[type(decision)]}
    for key in case.expect.keys() - {"effect"}:
        value = getattr(decision, key)
        found[key] = value.code if isinstance(value, Mode) else list(value) if isinstance(value, tuple) else value
    assert found == case.expect, case.why


def test_every_case_says_why_and_has_its_own_name() -> None:
    assert len(CASES) >= 120
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.why.endswith(".") and " " in case.why for case in CASES)


def test_every_permit_names_a_rule_of_the_agreement_and_where_needed_a_consent() -> None:
    for case in CASES:
        facts = inputs(case.facts)
        decision = decide(facts)
        if isinstance(decision, Permit):
            assert facts.agreement is not None
            (rule,) = [rule for rule in facts.agreement.rules if rule.id == decision.rule]
            assert not rule.needs_consent or decision.consent is not None
            assert decision.mode is not Mode.NONE


def test_permit_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError, match="only decide"):
        Permit(rule="mine", mode=Mode.SCHEDULE, obligations=(), consent=None, against_objection=False, decided=object())


def test_record_is_plain_data_with_reason_and_no_subject() -> None:
    for case in CASES:
        facts = inputs(case.facts)
        record = orjson.loads(orjson.dumps(as_record(facts, decide(facts))))
        assert record["effect"] == case.expect["effect"]
        assert record.get("reason") == case.expect.get("reason")


def test_decision_does_not_depend_on_anything_but_its_inputs() -> None:
    facts = inputs(CASES[0].facts)
    assert decide(facts) == decide(replace(facts))
