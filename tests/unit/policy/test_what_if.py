"""What a draft would change: logged inputs come back exactly, and are decided by the same decide()."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.matching.score import NOBODY
from gateway.node.decisions import Decided
from gateway.policy.decide import DecisionInputs, decide
from gateway.policy.what_if import NotReplayed, Replayed, recorded_inputs, replay
from mappings.vocabulary import Mode, Purpose
from tests.policy_cases import inputs, load_cases

CASES = [facts for case in load_cases() if (facts := inputs(case.facts)).agreement is not None]


def entry(*facts: DecisionInputs) -> dict[str, Any]:
    """The body of an `answered` entry, as a node writes and the ledger returns it."""
    decided = Decided(
        agreement=facts[0].agreement,
        inputs=facts,
        decisions=tuple(map(decide, facts)),
        involvement_ids=tuple(range(len(facts))),
    )
    body = {"kind": "answered", "question": decided.question_record(NOBODY), "decisions": decided.records()}
    read: dict[str, Any] = orjson.loads(orjson.dumps(body))
    return read


def replayed(body: dict[str, Any], facts: DecisionInputs, **changed: Any) -> Replayed:
    """One decision under the agreement it was made by, changed."""
    assert facts.agreement is not None
    found = replay(body, replace(facts.agreement, **changed))
    assert isinstance(found, list)
    (one,) = found
    return one


def test_every_input_of_a_decision_is_on_record() -> None:
    for facts in CASES:
        body = entry(facts)
        assert recorded_inputs(body["question"], body["decisions"][0], facts.agreement) == facts


def test_replayed_under_its_own_agreement_no_decision_changes() -> None:
    for facts in CASES:
        assert facts.agreement is not None
        named = (facts.question.agreement_uri, facts.question.agreement_version)
        in_its_days = facts.agreement.start_date <= facts.today <= facts.agreement.end_date
        if named == (facts.agreement.uri, facts.agreement.version) and facts.in_force and in_its_days:
            one = replayed(entry(facts), facts)
            assert not one.changed
            assert one.before == one.after


def test_a_rule_made_stricter_refuses_what_was_disclosed() -> None:
    facts = CASES[0]
    assert facts.agreement is not None
    rules = tuple(replace(rule, needs_consent=True) for rule in facts.agreement.rules)
    one = replayed(entry(facts), facts, rules=rules, version="3")
    assert (one.before.effect, one.before.mode, one.before.rule) == ("permit", Mode.SCHEDULE, "coordination")
    assert (one.after.effect, one.after.reason, one.after.rule) == ("deny", "no-consent", "coordination")
    assert one.changed
    assert one.after.width < one.before.width
    assert (one.asker, one.purpose) == ("childrens-services", Purpose.COORDINATION)


def test_a_draft_counts_as_if_it_had_been_in_force_that_day_but_only_between_its_parties() -> None:
    facts = CASES[0]
    assert facts.agreement is not None
    later = facts.agreement.end_date.replace(year=2031)
    assert not replayed(entry(facts), facts, start_date=later, end_date=later, version="3").changed
    (party,) = facts.agreement.parties
    without = replace(party, members=tuple(member for member in party.members if member != facts.asker.id))
    one = replayed(entry(facts), facts, parties=(without,))
    assert one.after.reason == "not-in-force"


def test_the_same_outcome_by_another_rule_is_no_change_but_other_obligations_are() -> None:
    facts = CASES[0]
    assert facts.agreement is not None
    renamed = tuple(replace(rule, id=f"new-{rule.id}") for rule in facts.agreement.rules)
    one = replayed(entry(facts), facts, rules=renamed)
    assert not one.changed
    assert (one.before.rule, one.after.rule) == ("coordination", "new-coordination")
    bound = tuple(replace(rule, obligations=("report",)) for rule in facts.agreement.rules)
    assert replayed(entry(facts), facts, rules=bound).changed


def test_an_entry_about_nobody_or_under_another_agreement_says_nothing_of_the_draft() -> None:
    facts = CASES[0]
    assert facts.agreement is not None
    assert replay({"kind": "answered", "outcome": "nothing-to-disclose"}, facts.agreement) is NotReplayed.NOBODY
    elsewhere = replace(facts.agreement, uri="https://example.org/elsewhere")
    assert replay(entry(facts), elsewhere) is NotReplayed.OTHER_AGREEMENT


@pytest.mark.parametrize("name", ["auth_method", "today", "asker", "break_glass", "agreement"])
def test_an_old_entry_without_an_input_cannot_be_replayed(name: str) -> None:
    facts = CASES[0]
    assert facts.agreement is not None
    body = entry(facts)
    del body["question"][name]
    assert replay(body, facts.agreement) is NotReplayed.INCOMPLETE
    body = entry(facts)
    body["decisions"][0]["consent"] = None
    assert replay(body, facts.agreement) is NotReplayed.INCOMPLETE
