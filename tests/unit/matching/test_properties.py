"""What holds of every name and every question, not only of chosen ones."""

from collections import Counter
from datetime import date
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.matching.compare import BirthLevel
from gateway.matching.frequency import Frequencies, classes_of
from gateway.matching.keys import MAX_ASKED_KEYS, MAX_KEYS, MAX_LAST_KEYS, asked_keys, keys_of
from gateway.matching.normalise import MAX_TOKENS, name_tokens, nhs_number, parse_birth_date, parse_postcode
from gateway.matching.record import Candidate, Card, asked_of, card_of
from gateway.matching.score import Match, choose, pairs_of, weigh_pairs
from gateway.wire.query import NameParts, Subject
from mappings.vocabulary import NHS_NUMBER_SYSTEM, MatchGrade

TODAY = date(2026, 3, 1)
FORENAMES = st.sampled_from(
    ("robert", "bob", "mary", "anne", "mohammed", "aisha", "liam", "noah", "olena", "joan", "jo")
)
FAMILIES = st.sampled_from(
    ("smith", "o'brien", "khan", "kovalenko", "smith-jones", "thomas", "james", "li", "mcdonald")
)
DATES = st.dates(date(1930, 1, 1), date(2020, 12, 31)).map(str)
POSTCODES = st.sampled_from(("AB10 1XY", "AB10 1XZ", "G2 3HY", "AB10", ""))
TEXT = st.text(max_size=60)


class Details(NamedTuple):
    """One made-up person, and what is asked about them."""

    forename: str
    family: str
    born: str
    postcode: str

    def stored(self) -> Candidate:
        return Candidate(
            names=(((self.forename,), self.family),),
            birth_dates=(self.born,),
            postcodes=(self.postcode,),
            nhs_numbers=("9990000018",),
        )

    def asked(self, number: str = "") -> Subject:
        return Subject(
            names=(NameParts(given=(self.forename,), family=self.family),),
            birth_date=self.born,
            postcode=self.postcode,
            identifiers=((NHS_NUMBER_SYSTEM, number),) if number else (),
        )


DETAILS = st.builds(Details, FORENAMES, FAMILIES, DATES, POSTCODES)


def match(subject: Subject, *people: Candidate) -> Match:
    cards = [card_of(person) for person in people]
    counts = Counter(of for card in cards for of in classes_of(card))
    pairs = pairs_of(asked_of(subject, today=TODAY), enumerate(cards, start=1), today=TODAY)
    return choose(weigh_pairs(pairs, Frequencies(counts)), Frequencies(counts))


def grade(found: Match) -> MatchGrade:
    return found.best.grade if found.best else MatchGrade.CERTAINLY_NOT


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_no_text_raises_or_makes_more_keys_than_the_cap(a: str, b: str, born: str, postcode: str, number: str) -> None:
    card = card_of(Candidate(names=(((a,), b),), birth_dates=(born,), postcodes=(postcode,), nhs_numbers=(number,)))
    assert len(keys_of(card)) <= MAX_KEYS
    assert Card.from_bytes(card.to_bytes()) == card
    subject = Subject(
        names=(NameParts(given=(a,), family=b), NameParts(text=a)),
        birth_date=born,
        postcode=postcode,
        identifiers=((NHS_NUMBER_SYSTEM, number),),
    )
    tiers = list(asked_keys(asked_of(subject, today=TODAY), TODAY))
    assert all(len(tier.keys) <= (MAX_ASKED_KEYS if tier.crowd else MAX_LAST_KEYS) for tier in tiers)
    assert all(-(2**63) <= key < 2**63 for tier in tiers for key in tier.keys)
    pairs = pairs_of(asked_of(subject, today=TODAY), [(1, card)], today=TODAY)
    choose(weigh_pairs(pairs, Frequencies()), Frequencies())


@given(TEXT)
def test_normalising_twice_changes_nothing(text: str) -> None:
    tokens = name_tokens(text)
    assert len(tokens) <= MAX_TOKENS
    assert name_tokens(" ".join(tokens)) == tokens
    postcode = parse_postcode(text)
    assert parse_postcode(postcode) == postcode
    number = nhs_number(text)
    assert nhs_number(number) == number
    parse_birth_date(text)


@given(DETAILS, DETAILS)
@settings(max_examples=300)
def test_names_typed_in_each_others_place_find_the_same_person_and_no_surer(person: Details, other: Details) -> None:
    people = (person.stored(), other.stored())
    exchanged = person._replace(forename=person.family, family=person.forename)
    straight, turned = match(person.asked(), *people), match(exchanged.asked(), *people)
    assert turned.best is not None
    assert straight.best is not None
    assert turned.best.person_id == straight.best.person_id
    assert grade(turned).rank <= grade(straight).rank
    assert straight.disclosable or not turned.disclosable


@given(DETAILS, FAMILIES)
def test_the_order_of_the_parts_of_a_family_name_does_not_matter(person: Details, part: str) -> None:
    stored = person._replace(family=f"{person.family}-{part}").stored()
    straight = match(person._replace(family=f"{person.family}-{part}").asked(), stored)
    turned = match(person._replace(family=f"{part}-{person.family}").asked(), stored)
    assert (grade(straight), straight.disclosable) == (grade(turned), turned.disclosable)


@given(DETAILS, FORENAMES)
def test_given_names_in_another_order_are_never_surer(person: Details, second: str) -> None:
    stored = person._replace(forename=f"{person.forename} {second}").stored()
    straight = match(person._replace(forename=f"{person.forename} {second}").asked(), stored)
    turned = match(person._replace(forename=f"{second} {person.forename}").asked(), stored)
    assert grade(turned).rank <= grade(straight).rank
    assert straight.disclosable or not turned.disclosable


@given(DETAILS, DETAILS)
@settings(max_examples=300)
def test_who_differs_in_birth_date_is_never_certain(person: Details, other: Details) -> None:
    found = match(person.asked(), other.stored())
    if person.born != other.born:
        assert grade(found) is not MatchGrade.CERTAIN
    if found.best and found.best.levels.birth is BirthLevel.OTHER:
        assert not found.disclosable


@given(DETAILS, DATES)
def test_another_birth_date_never_raises_the_grade(person: Details, born: str) -> None:
    before, after = match(person.asked(), person.stored()), match(person._replace(born=born).asked(), person.stored())
    assert grade(after).rank <= grade(before).rank


@given(DETAILS)
def test_another_postcode_or_number_never_raises_the_grade(person: Details) -> None:
    before = match(person.asked(), person.stored())
    elsewhere = match(person._replace(postcode="ZE1 0AA").asked(), person.stored())
    assert grade(elsewhere).rank <= grade(before).rank
    assert not match(person.asked("9990000026"), person.stored()).disclosable


@given(DETAILS)
def test_the_persons_own_number_never_lowers_the_grade(person: Details) -> None:
    before, after = match(person.asked(), person.stored()), match(person.asked("9990000018"), person.stored())
    assert grade(after).rank >= grade(before).rank


@given(DETAILS)
def test_a_second_person_who_fits_as_well_silences_the_answer(person: Details) -> None:
    if not person.born.endswith("-01-01"):
        assert match(person.asked(), person.stored()).disclosable
    assert not match(person.asked(), person.stored(), person.stored()).disclosable
