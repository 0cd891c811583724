"""`patchwork agreement diff`: what changes in words, and who would learn more or less."""

from typing import Any

import pytest

from gateway.policy.compare import Comparison, compare
from tests.agreement_texts import agreed, rule

BASE = rule("coordination")


def changed(**changes: Any) -> Comparison:
    return compare(agreed(BASE), agreed({**BASE, **changes}))


def test_equal_agreements_do_not_differ() -> None:
    assert compare(agreed(BASE), agreed(BASE)) == Comparison([], [], [])


@pytest.mark.parametrize(
    ("changes", "wider", "narrower"),
    [
        ({"mode": "schedule"}, True, False),
        ({"mode": "callback"}, False, True),
        ({"needs_consent": True}, False, True),
        ({"on_objection": "proceed-and-record"}, True, False),
        ({"on_objection": "review"}, True, False),
        ({"min_grade": "certain"}, False, True),
        ({"min_auth": "operating-system"}, True, False),
        ({"recipients": ["council"]}, False, True),
        ({"except_recipients": ["council"]}, False, True),
        ({"ask": ["trust"]}, False, True),
        ({"services": ["meals"]}, False, True),
        ({"sensitivity": ["N"]}, False, True),
        ({"lawful_bases": ["vital-interests"]}, True, True),
        ({"disclosure_basis": "legal-obligation"}, False, False),
        ({"obligations": ["inform"]}, False, False),
    ],
)
def test_each_change_of_a_rule_is_told_and_weighed(changes: dict[str, Any], wider: bool, narrower: bool) -> None:
    comparison = changed(**changes)
    (key,) = changes
    assert [sentence for sentence in comparison.said if sentence.startswith(f"Rule coordination: {key} changes from")]
    assert (bool(comparison.wider), bool(comparison.narrower)) == (wider, narrower)


def test_a_change_says_for_whom_and_in_which_situations() -> None:
    (change,) = (each for each in changed(min_auth="mfa").narrower if "ordinary" in each.about)
    assert (change.who, change.whom) == ("any party", "any party")
    assert (change.before, change.after) == ("named professional and how to reach them", "nothing")
    assert change.about == "any service: ordinary"
    assert change.when == "unless the person objects, signed in by a password"


def test_consent_is_not_told_twice_where_naming_the_service_makes_no_difference() -> None:
    whens = {each.when for each in changed(needs_consent=True, mode="schedule").wider}
    assert "the person consents" in {when.partition(",")[0] for when in whens}
    assert not [when for when in whens if "consents or the person" in when]


def test_a_denial_narrows_only_what_it_covers() -> None:
    denial = rule("no-meals", effect="deny", services=["meals"], recipients=["housing-provider"])
    comparison = compare(agreed(BASE), agreed(BASE, denial))
    assert comparison.said == ["New rule no-meals (deny)."]
    assert {(change.who, change.about.split(":")[0]) for change in comparison.narrower} == {
        ("housing provider", "meals")
    }
    assert comparison.wider == []


def test_a_greater_rule_that_needs_consent_widens_for_some_and_narrows_for_others() -> None:
    comparison = compare(agreed(BASE), agreed(BASE, rule("more", mode="schedule", needs_consent=True)))
    ordinary = [change for change in comparison.narrower if "ordinary" in change.about]
    assert {change.when.split(",")[0] for change in ordinary} == {"the person has said nothing"}
    assert comparison.wider


def test_a_party_that_joins_asks_and_is_asked() -> None:
    both = [{"name": "All", "catalogue_id": ["council", "trust", "landlord", "school-1"]}]
    comparison = compare(agreed(BASE), agreed(BASE, party=both))
    assert "school-1 joins as a party." in comparison.said
    assert {"school-1" in change.who or "school-1" in change.whom for change in comparison.wider} == {True}
    assert compare(agreed(BASE, party=both), agreed(BASE)).narrower


def test_clauses_dates_and_order_are_told() -> None:
    two = rule("second")
    old = agreed(BASE, two)
    new = agreed(two, BASE, version="2", end_date=old.end_date.replace(month=6, day=1), data=["who", "when"])
    said = compare(old, new).said
    assert said == [
        "The version changes from 1 to 2.",
        "It ends on 2026-06-01 instead of 2026-12-31: it is in force for less long.",
        "Added to data: who",
        "Added to data: when",
        "Removed from data: who is involved",
        "Rules stand in another order, which decides between permits that disclose the same.",
    ]


def test_the_order_within_a_list_is_no_change() -> None:
    assert changed(sensitivity=["V", "R", "N"]) == Comparison([], [], [])
