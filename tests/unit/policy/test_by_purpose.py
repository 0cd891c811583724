"""An agreement in a sentence for each purpose: who may learn how much, by name."""

from gateway.policy.by_purpose import by_purpose
from gateway.policy.explain import by_rule, clauses
from gateway.policy.words import Wording
from tests.agreement_texts import agreed, rule
from tests.policy_cases import agreement

TYPES = {
    "childrens-services": "local-authority",
    "community-trust": "nhs-trust",
    "police": "police-force",
    "housing": "housing-provider",
    "food-bank": "voluntary-organisation",
}
NAMES = Wording(members={"food-bank": "Anytown Food Bank", "police": "Northshire Police", "housing": "Orchard Homes"})


def test_each_purpose_has_a_sentence_that_says_who_may_learn_how_much() -> None:
    assert by_purpose(agreement("children-and-families"), TYPES, NAMES) == [
        "To fit our help together: every agency but Anytown Food Bank and Northshire Police may learn who works with"
        " the person, how to reach them and when they met or will meet; Anytown Food Bank may learn who works with the"
        " person and how to reach them, if the person agrees.",
        "To keep somebody safe: every agency but Anytown Food Bank and Orchard Homes may learn who works with the"
        " person and how to reach them.",
        "In an emergency, by breaking the glass: every agency but Anytown Food Bank and Orchard Homes may learn which"
        " agency works with the person, and its duty contact.",
    ]


def test_a_decision_by_somebody_and_a_denial_are_told() -> None:
    reviewed = rule("coordination", effect="review", mode="duty-contact")
    assert by_purpose(agreed(reviewed)) == [
        "To fit our help together: any party may learn which agency works with the person, and its duty contact, once"
        " somebody at the agency asked has decided so."
    ]
    assert by_purpose(agreed(rule("coordination", effect="deny"))) == [
        "To fit our help together: nobody learns anything."
    ]


def test_members_and_services_are_called_by_the_names_that_a_reader_knows() -> None:
    wording = Wording(members={"council": "Northshire"}, services={"meals": "food"}, anybody="any agency")
    small = agreed(rule("coordination", recipients=["council"], services=["meals"]))
    (line,) = by_rule(small, wording)
    assert (line.who, line.whom, line.about.partition(":")[0]) == ("Northshire", "any agency", "food")
    assert dict(clauses(small, wording))["Party"] == "All (Northshire, trust, landlord)"
