"""`patchwork agreement lint`: rules that never act, rules that collide, and gaps, each with the rule and a sentence."""

import random
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from gateway.errors import InputError
from gateway.policy.agreement import read_agreement
from gateway.policy.explain import summary
from gateway.policy.findings import Finding, Severity
from gateway.policy.lint import lint
from tests.agreement_texts import agreed, rule
from tests.policy_cases import AGREEMENTS

TYPES = {"council": "local-authority", "trust": "nhs-trust", "landlord": "housing-provider"}


def found(*rules: Mapping[str, Any], types: Mapping[str, str] | None = None, **changed: Any) -> list[Finding]:
    return lint(agreed(*rules, **changed), types=types, known_services=("CAMHS", "meals"))


def about(rule_id: str, findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.severity.value, finding.sentence) for finding in findings if rule_id in finding.rules]


def test_a_sound_agreement_has_no_findings() -> None:
    assert found(rule("coordination")) == []
    assert found(rule("coordination"), types=TYPES) == []


def test_a_permit_that_denials_cover_together_never_acts() -> None:
    ordinary = rule("no-ordinary", effect="deny", sensitivity=["N"])
    restricted = rule("no-restricted", effect="deny", sensitivity=["R", "V"])
    ((severity, said), *_) = about("coordination", found(rule("coordination"), ordinary, restricted))
    assert severity == "error"
    assert said == "It never acts: wherever it applies, no-ordinary and no-restricted deny it."


def test_a_permit_of_which_something_is_left_is_only_noted_with_what_is_denied() -> None:
    denial = rule("no-camhs", effect="deny", recipients=["housing-provider"], services=["CAMHS"])
    findings = found(rule("coordination"), denial)
    assert about("coordination", findings) == []
    said = "It denies part of what coordination would allow: housing provider about CAMHS for coordination of care."
    assert about("no-camhs", findings) == [("note", said)]


def test_two_denials_that_overlap_take_nothing_from_each_other() -> None:
    one = rule("one", effect="deny", services=["meals"])
    two = rule("two", effect="deny", services=["meals", "CAMHS"])
    said = [sentence for _, sentence in about("one", found(rule("coordination"), one, two))]
    assert said == ["It denies part of what coordination would allow: any party about meals for coordination of care."]


def test_a_review_that_hides_a_permit_everywhere_is_an_error_and_in_part_a_note() -> None:
    everywhere = found(rule("coordination"), rule("reviewed", effect="review"))
    assert about("coordination", everywhere) == [
        ("error", "It never acts: wherever it applies, reviewed sends it to a review.")
    ]
    partly = found(rule("coordination"), rule("reviewed", effect="review", ask=["housing-provider"]))
    assert about("coordination", partly) == []
    assert about("reviewed", partly)[0][0] == "note"


def test_a_permit_that_a_greater_one_always_outdoes_is_named() -> None:
    findings = found(rule("coordination"), rule("more", mode="schedule"))
    assert about("coordination", findings) == [
        ("warning", "It never acts: wherever it applies, more stands before it.")
    ]
    assert found(rule("coordination"), rule("more", mode="schedule", min_auth="mfa")) == []


def test_a_permit_denied_here_and_outdone_there_is_an_error_that_names_both() -> None:
    denial = rule("no-restricted", effect="deny", sensitivity=["R", "V"])
    more = rule("more", mode="schedule", sensitivity=["N"])
    said = "It never acts: wherever it applies, no-restricted denies it or more stands before it."
    assert about("coordination", found(rule("coordination"), denial, more))[0] == ("error", said)


def test_a_greater_permit_that_needs_consent_is_warned_of_because_it_discloses_less_to_the_silent() -> None:
    findings = found(rule("coordination"), rule("more", mode="schedule", min_auth="mfa", needs_consent=True))
    ((severity, said),) = about("more", findings)
    assert severity == "warning"
    assert "coordination alone would need none" in said


def test_the_second_of_two_equal_denials_adds_nothing_and_a_denial_of_what_nobody_permits_is_suspect() -> None:
    one, two = rule("one", effect="deny", services=["meals"]), rule("two", effect="deny", services=["meals"])
    assert about("two", found(rule("coordination"), one, two))[0] == (
        "note",
        "It adds nothing: one already denies all of it.",
    )
    aside = rule("aside", effect="deny", lawful_bases=["vital-interests"])
    assert about("aside", found(rule("coordination"), aside))[0][0] == "warning"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"recipients": ["polcie"]}, "nobody among the parties is polcie"),
        ({"recipients": ["council"], "except_recipients": ["council"]}, "its exceptions leave nobody"),
        ({"ask": ["polcie"]}, "nobody among the parties is polcie, whom it lets be asked"),
        ({"recipients": ["council"], "ask": ["council"]}, "the only party that may ask under it is the only one"),
    ],
)
def test_a_rule_that_concerns_nobody_never_acts(changed: dict[str, Any], said: str) -> None:
    errors = [sentence for severity, sentence in about("odd", found(rule("odd", **changed))) if severity == "error"]
    assert any(sentence.startswith(f"It never acts: {said}") for sentence in errors)


def test_the_federation_tells_that_no_party_is_of_the_type_a_rule_names() -> None:
    odd = rule("odd", recipients=["police-force"])
    assert about("odd", found(odd)) == []
    (severity, said), *_ = about("odd", found(odd, types=TYPES))
    assert severity == "error"
    assert "police-force" in said
    without_trust = {member: kind for member, kind in TYPES.items() if member != "trust"}
    whole = [finding.sentence for finding in found(rule("coordination"), types=without_trust)]
    assert whole == ["trust is a party, but not an active member of the federation."]


def test_a_kind_that_no_party_is_of_yet_is_noted_where_the_rest_of_the_rule_acts() -> None:
    odd = rule("odd", recipients=["local-authority", "school"])
    said = "No party is a school now; one that joins would come under it."
    assert about("odd", found(odd, types=TYPES)) == [("note", said)]


def test_a_misspelt_word_weighs_most_where_it_was_to_keep_somebody_out() -> None:
    permit = about("odd", found(rule("odd", recipients=["council", "polcie"], services=["CAHMS", "meals"])))
    assert {severity for severity, _ in permit} == {"warning"}
    assert len(permit) == 2
    excepted = about("odd", found(rule("odd", except_recipients=["polcie"])))
    assert [severity for severity, _ in excepted] == ["error"]
    starred = about("odd", found(rule("odd", except_recipients=["*"])))
    assert starred == [("error", "except_recipients: an asterisk excepts nobody: name whom you mean.")]
    denial = rule("no", effect="deny", recipients=["council", "polcie"], services=["CAHMS", "meals"])
    assert [severity for severity, _ in about("no", found(rule("coordination"), denial))][:2] == ["error", "error"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lawful_bases": ["public-task", "consent"]}, "no consent need be on record here"),
        ({"needs_consent": True, "on_objection": "review"}, "an objection is no consent"),
        ({"on_objection": "proceed-and-record"}, "goes on against the person's objection for coordination of care"),
        ({"lawful_bases": ["legitimate-interests"]}, "which public authorities cannot"),
        ({"lawful_bases": ["legitimate-interests"], "recipients": ["police-force"]}, "lets police-force rely on"),
        ({"article9_condition": "x", "purposes": ["BTG"]}, "without any obligation"),
        ({"purposes": ["BTG"], "obligations": ["report"]}, "break-glass without two factors"),
        ({"purposes": ["BTG", "COC"], "obligations": ["report"]}, "give break-glass a rule of its own"),
    ],
)
def test_an_unusual_permit_is_warned_of(changed: dict[str, Any], said: str) -> None:
    findings = found(rule("odd", **changed), purpose=["COC", "BTG"])
    assert any(severity == "warning" and said in sentence for severity, sentence in about("odd", findings))


def test_gaps_of_the_whole_are_told_in_words() -> None:
    findings = found(rule("coordination", sensitivity=["N"]), rule("bare", sensitivity=["N"]), purpose=["COC", "TREAT"])
    said = [finding.sentence for finding in findings]
    assert "No rule serves its purpose treatment: whoever asks for that learns nothing." in said
    assert sum("are never disclosed" in sentence for sentence in said) == 2
    bare = {key: value for key, value in rule("bare").items() if key != "article9_condition"}
    assert about("bare", found(bare))[0][0] == "warning"


def test_an_agreement_that_has_ended_or_only_denies_discloses_nothing_and_says_so() -> None:
    ended = lint(agreed(rule("coordination")), today=date(2027, 1, 1))
    assert [finding.sentence for finding in ended] == [
        "It ended on 2026-12-31: nothing is disclosed under it any more."
    ]
    assert any("nothing is ever disclosed" in finding.sentence for finding in found(rule("no", effect="deny")))


def test_worst_findings_come_first() -> None:
    severities = [finding.severity for finding in found(rule("odd", recipients=["polcie"], sensitivity=["N"]))]
    assert severities == sorted(severities, key=list(Severity).index)
    assert severities[0] is Severity.ERROR


@pytest.mark.parametrize("name", ["children-and-families"])
def test_the_example_agreement_is_warned_of_break_glass_without_two_factors_alone(name: str) -> None:
    """As its own comment says: the command line has no second factor."""
    agreement = read_agreement(AGREEMENTS[name].read_bytes(), name)
    worse = [each for each in lint(agreement, today=date(2026, 11, 22)) if each.severity is not Severity.NOTE]
    assert [(each.severity, each.rules) for each in worse] == [(Severity.WARNING, ("break-glass",))]


def test_an_agreement_made_to_keep_a_reader_busy_is_refused() -> None:
    members = [f"m{number}" for number in range(65)]
    rules = [
        rule(f"r{number}", recipients=[member], ask=[member], services=[f"s{number}"])
        for number, member in enumerate(members)
    ]
    with pytest.raises(InputError, match="too many cases"):
        lint(agreed(rule("all"), *rules, party=[{"name": "All", "catalogue_id": members}]))


def test_an_agreement_whose_every_case_comes_under_other_rules_is_refused_soon() -> None:
    """Few cases, but nothing of what was decided for one can be used for the next."""
    members = [f"m{number}" for number in range(20)]

    services = [f"s{number}" for number in range(20)]
    some = random.Random(1)  # noqa: S311 - the same rules each time
    rules = [
        rule(
            f"r{number}",
            recipients=some.sample(members, 10),
            ask=some.sample(members, 10),
            services=some.sample(services, 10),
            sensitivity=["N"],
        )
        for number in range(30)
    ]
    intricate = agreed(*rules, party=[{"name": "All", "catalogue_id": members}])
    types = dict.fromkeys(members, "local-authority")
    for read in (lint, summary):
        with pytest.raises(InputError, match="too many cases"):
            read(intricate, types=types)
