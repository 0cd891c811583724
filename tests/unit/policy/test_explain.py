"""`patchwork agreement explain`: the summary says what decide() does, and each rule what it says."""

from itertools import product

from gateway.policy.cells import Who, cells
from gateway.policy.explain import by_rule, clauses, footnotes, summary
from gateway.policy.merging import merged
from gateway.policy.words import parties
from tests.agreement_texts import agreed, rule
from tests.policy_cases import AGREEMENTS, agreement, load_cases


def test_each_rule_is_told_with_conditions_and_what_an_objection_does() -> None:
    odd = rule("odd", recipients=["*"], except_recipients=["police-force"], needs_consent=True, min_grade="certain")
    (line,) = by_rule(agreed(odd))
    assert line.who == "any party, but not police force"
    assert line.why == "coordination of care: public task"
    assert line.most == "named professional and how to reach them"
    assert line.conditions == (
        "match certain; signed in by at least a password; the person has consented, and at most to what they consented;"
        " the person's own consent that names the service for restricted services"
    )
    assert line.objection == "nothing that they object to is disclosed"


def test_the_summary_leaves_out_what_a_denial_takes_away() -> None:
    denial = rule("no-meals", effect="deny", recipients=["council"], services=["meals"])
    lines = summary(agreed(rule("coordination"), denial))
    told = {(line.rules, line.who, line.about.split(":")[0], line.most) for line in lines}
    most = "named professional and how to reach them"
    assert told == {
        (("coordination",), "any party", "any service but meals", most),
        (("coordination",), "any party but council", "meals", most),
        (("no-meals",), "council", "meals", "nothing"),
    }


def test_rules_that_decide_by_sign_in_or_match_share_a_line() -> None:
    (line,) = summary(agreed(rule("less"), rule("more", mode="schedule", min_auth="mfa")))
    assert line.rules == ("more", "less")
    assert line.conditions.count("; or: ") == 1


def test_every_permit_of_the_cases_is_in_a_line_of_the_summary() -> None:
    told = {name: {rule for line in summary(agreement(name)) for rule in line.rules} for name in AGREEMENTS}
    permits = [case for case in load_cases() if case.expect["effect"] == "permit"]
    assert len(permits) > 20
    for case in permits:
        assert case.expect["rule"] in told[case.facts["agreement"]], case.name


def test_cells_are_those_in_which_rules_speak_and_merging_loses_none() -> None:
    found = [cell.scope for cell in cells([agreement("children-and-families")])]
    assert len(found) > len(merged(found)) > 0
    flat = [set(product(*scope)) for scope in found]
    assert sum(map(len, flat)) == len(set().union(*flat))  # no case is in two cells
    assert set().union(*flat) == {each for scope in merged(found) for each in product(*scope)}


def test_parties_are_told_by_type_by_name_and_by_exception() -> None:
    everybody = frozenset(Who(member, kind) for member in ("a", "b", "c") for kind in ("nhs-trust", "school"))
    assert parties(everybody, of=everybody) == "any party"
    assert parties(frozenset(who for who in everybody if who.member != "c"), of=everybody) == "any party but c"
    assert parties(frozenset(who for who in everybody if who.type == "school"), of=everybody) == "school"
    assert parties(frozenset({Who("a", "nhs-trust"), Who("a", "school")}), of=everybody) == "a"
    assert parties(frozenset({Who("a", "school"), Who("b", "school")}), of=everybody) == "school, but not c"
    assert parties(frozenset({Who("a", "school")}), of=everybody) == "a (if a school)"


def test_clauses_and_footnotes_name_parties_dates_and_what_no_line_can_say() -> None:
    small = agreed(rule("coordination"))
    told = dict(clauses(small))
    assert told["Party"] == "All (council, trust, landlord)"
    assert told["In force"] == "from 2026-01-01 to 2026-12-31, both days included"
    assert any("call back" in note for note in footnotes(small))
    assert not any("call back" in note for note in footnotes(agreed(rule("coordination", sensitivity=["N"]))))
