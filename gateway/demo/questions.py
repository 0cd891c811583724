"""The three questions that the demonstration asks, and how the agencies recorded the people they ask about.

The records differ as real ones do; that each is found is certain, because their surnames occur nowhere else.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What `member` recorded; `consent` only where the agency's system notes it. `question` is the one they are for."""

    member: str
    given: tuple[str, ...]
    family: str
    birth_date: str
    postcode: str = ""
    nhs_number: str = ""
    consent: bool | None = None
    question: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of children's services. `stopped` is the member whose node is down while it is asked."""

    title: str
    name: str
    born: str
    postcode: str
    purpose: str
    basis: str
    found_at: frozenset[str]
    explanation: str
    records: tuple[Planted, ...]
    stopped: str | None = None


QUESTIONS = (
    Question(
        title="A mother whom four agencies know",
        name="Katherine Bramley-Osei",
        born="1991-05-17",
        postcode="ZM4 7QT",
        purpose="coordination",
        basis="public-task",
        found_at=frozenset({"community-trust", "police", "housing", "food-bank"}),
        explanation="Four agencies know her, spelt in their own ways. Each found her and decided for itself.",
        records=(
            Planted(
                member="community-trust",
                given=("Katherine", "Ama"),
                family="Bramley-Osei",
                birth_date="1991-05-17",
                postcode="ZM4 7QT",
                nhs_number="9990010013",
            ),
            Planted(
                member="police", given=("Kate",), family="Bramley-Osei", birth_date="1991-05-17", postcode="ZM4 7QT"
            ),
            Planted(
                member="housing", given=("Kathryn",), family="Bramley-Osei", birth_date="1991-05-17", postcode="ZM4 7QT"
            ),
            Planted(
                member="food-bank",
                given=("Katherine",),
                family="Bramley Osei",
                birth_date="1991-05-17",
                postcode="ZM4 7QT",
                consent=True,
            ),
        ),
    ),
    Question(
        title="A man who told the food bank: please do not pass this on",
        name="Tobias Ferncastle",
        born="1978-11-02",
        postcode="ZM2 3LP",
        purpose="coordination",
        basis="public-task",
        found_at=frozenset({"community-trust", "housing"}),
        explanation=(
            "The food bank knows him too. He refused, so it said what it says of a stranger: same size, same time.\n"
            "Only the food bank's own ledger knows that it was a refusal."
        ),
        records=(
            Planted(
                member="community-trust",
                given=("Tobias",),
                family="Ferncastle",
                birth_date="1978-11-02",
                postcode="ZM2 3LP",
                nhs_number="9990020027",
            ),
            Planted(
                member="housing", given=("Toby",), family="Ferncastle", birth_date="1978-11-02", postcode="ZM2 3LP"
            ),
            Planted(
                member="food-bank",
                given=("Tobias",),
                family="Ferncastle",
                birth_date="1978-11-02",
                postcode="ZM2 3LP",
                consent=False,
            ),
        ),
    ),
    Question(
        title="A woman, while the police's node is down",
        name="Rosemary Thistlewaite",
        born="1949-09-23",
        postcode="ZM7 1GH",
        purpose="coordination",
        basis="public-task",
        found_at=frozenset({"community-trust", "housing"}),
        explanation="No answer is not the same as no record: the police are named as not reached, and delayed nobody.",
        stopped="police",
        records=(
            Planted(
                member="community-trust",
                given=("Rosemary",),
                family="Thistlewaite",
                birth_date="1949-09-23",
                postcode="ZM7 1GH",
                nhs_number="9990030030",
            ),
            Planted(
                member="police", given=("Rosemary",), family="Thistlewaite", birth_date="1949-09-23", postcode="ZM7 1GH"
            ),
            Planted(
                member="housing",
                given=("Rosemary",),
                family="Thistlewaite",
                birth_date="1949-09-23",
                postcode="ZM7 1GH",
            ),
        ),
    ),
)
