"""decide() against its judge (tests/reference_policy.py) on thousands of agreements, people and questions."""

import random
import tomllib
from collections import Counter
from dataclasses import replace

import pytest

from gateway.policy.agreement import read_agreement
from gateway.policy.decide import decide
from gateway.policy.toml_text import toml_text
from tests.policy_cases import AGREEMENTS, Case, inputs, load_cases, plain
from tests.policy_draw import some_agreement, some_facts
from tests.reference_policy import judge

AGREEMENTS_EACH = 100  # of each seed
QUESTIONS_EACH = 25  # under each agreement
ENOUGH = 3  # of each outcome, or the draw is too narrow to tell anything


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_the_judge_and_the_cases_agree(case: Case) -> None:
    name = case.facts["agreement"]
    agreement = None if name == "none" else tomllib.loads(AGREEMENTS[name].read_text("utf-8"))
    judged = judge(agreement, case.facts)
    assert {key: judged[key] for key in case.expect} == case.expect, case.why


@pytest.mark.parametrize("seed", range(4))
def test_decide_and_the_judge_agree(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
    seen: Counter[str] = Counter()
    for _ in range(AGREEMENTS_EACH):
        document = some_agreement(chance)
        agreement = read_agreement(toml_text(document).encode(), "generated.toml")
        for _ in range(QUESTIONS_EACH):
            facts = some_facts(chance)
            judged = judge(document, facts)
            decided = plain(decide(replace(inputs({**facts, "agreement": "none"}), agreement=agreement)))
            assert decided == judged, (document["rule"], facts)
            seen[judged.get("reason", judged["effect"])] += 1
    everything = {"permit", "review", "no-consent", "objection", "shielded", "denied-by-rule", "no-rule"}
    assert {what for what in everything if seen[what] < ENOUGH} == set()
