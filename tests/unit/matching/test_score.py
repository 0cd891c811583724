"""Grades and disclosure: the right person, and silence wherever two people fit or too little was asked."""

from collections import Counter
from datetime import date
from math import log2
from typing import Any

import pytest

from gateway.matching.frequency import Frequencies, classes_of
from gateway.matching.record import Candidate, Card, asked_of, card_of
from gateway.matching.score import DEFAULT_THRESHOLDS, Match, Thresholds, choose, pairs_of, weigh_pairs
from gateway.wire.query import NameParts, Subject
from mappings.vocabulary import NHS_NUMBER_SYSTEM, MatchGrade

TODAY = date(2026, 3, 1)
NUMBER, OTHER_NUMBER, FAILING_NUMBER = "9990000018", "9990000026", "9990000019"


def stored(given: str, family: str, born: str = "", postcode: str = "", number: str = "") -> Candidate:
    return Candidate(
        names=(((given,), family),),
        birth_dates=(born,) if born else (),
        postcodes=(postcode,) if postcode else (),
        nhs_numbers=(number,) if number else (),
    )


def question(given: str, family: str, *, number: str = "", **details: Any) -> Subject:
    return Subject(
        names=(NameParts(given=(given,), family=family),),
        identifiers=((NHS_NUMBER_SYSTEM, number),) if number else (),
        **details,
    )


def match(
    subject: Subject, *people: Candidate, thresholds: Thresholds = DEFAULT_THRESHOLDS, complete: bool = True
) -> Match:
    """In a register of these people alone; they have the ids 1, 2, 3 in order."""
    cards = [card_of(person) for person in people]
    pairs = pairs_of(asked_of(subject, today=TODAY), enumerate(cards, start=1), today=TODAY)
    return choose(
        weigh_pairs(pairs, frequencies(cards)),
        frequencies(cards),
        thresholds=thresholds,
        complete=complete,
        names_asked=len(subject.names),
    )


def frequencies(cards: list[Card]) -> Frequencies:
    return Frequencies(Counter(of for card in cards for of in classes_of(card)))


ROBERT = stored("Robert James", "O'Brien", "1985-03-09", "AB10 1XY", NUMBER)


def test_all_details_agreeing_is_certain() -> None:
    found = match(question("Robert", "O'Brien", birth_date="1985-03-09", postcode="AB10 1XY"), ROBERT)
    assert found.disclosable
    assert found.best is not None
    assert found.best.grade is MatchGrade.CERTAIN


@pytest.mark.parametrize(
    "subject",
    [
        question("Bob", "obrien", birth_date="1985-03-09"),
        question("Robert", "O Brian", birth_date="1985-03-09"),
        question("O'Brien", "Robert", birth_date="1985-03-09"),
        question("Robert", "O'Brien-Smith", birth_date="1985-03-09"),
        question("Robert", "O'Brien", birth_date="1985-09-03", postcode="ab101xy"),
        question("Robert", "O'Brien", birth_date="1985-03-19", postcode="ab101xy"),
        question("Robert", "O'Brien", birth_date="1985-03", postcode="ab101xy"),
        question("Robert", "O'Brien", birth_date="1985", postcode="ab101xy"),
        question("Robert", "O'Brien", age=40, postcode="ab101xy"),
        question("Robert", "Smith", birth_date="1985-03-09", postcode="ab101xy"),
        question("R", "O'Brien", birth_date="1985-03-09", postcode="ab101xy"),
        Subject(names=(NameParts(text="O'Brien, Bob"),), birth_date="1985-03-09"),
        Subject(names=(NameParts(text="Dr Bob O'Brien"),), birth_date="1985-03-09"),
        question("Robert", "O'Brien", number=NUMBER),
    ],
)
def test_what_people_hear_and_type_still_finds_the_person(subject: Subject) -> None:
    found = match(subject, ROBERT)
    assert found.best is not None
    assert found.best.grade.rank >= MatchGrade.PROBABLE.rank
    assert found.disclosable


@pytest.mark.parametrize(
    "subject",
    [
        question("Robert", "O'Brien"),
        question("Robert James", "O'Brien"),
        question("Robert", "O'Brien", birth_date="1985"),
        question("Robert", "O'Brien", age=40),
        question("Robert", "O'Brien", postcode="AB10"),
        question("Robert", "O'Brien", age=40, postcode="AB10"),
        question("", "O'Brien", birth_date="1985-03-09"),
        question("Robert", "", birth_date="1985-03-09"),
        question("R", "O'Brien", birth_date="1985-03-19"),
        question("R", "O'Brien", postcode="AB10 1XY"),
        question("Rodger", "O'Brien", postcode="AB10 1XY"),
        Subject(birth_date="1985-03-09", postcode="AB10 1XY"),
        Subject(identifiers=((NHS_NUMBER_SYSTEM, NUMBER),)),
        Subject(),
    ],
)
def test_too_little_discloses_nothing(subject: Subject) -> None:
    assert not match(subject, ROBERT).disclosable


@pytest.mark.parametrize(
    "subject",
    [
        question("Robert", "O'Brien", birth_date="1955-06-20", postcode="AB10 1XY"),
        question("Robert", "O'Brien", age=70, postcode="AB10 1XY"),
        question("Susan", "O'Brien", birth_date="1985-03-09", postcode="AB10 1XY"),
        question("Susan", "Smith", birth_date="1985-03-09", postcode="AB10 1XY"),
        question("Robert", "O'Brien", birth_date="1985-03-09", postcode="AB10 1XY", number=OTHER_NUMBER),
        question("Susan", "Smith", birth_date="1985-03-09", number=NUMBER),
        question("Robert", "O'Brien", birth_date="1955-06-20", number=NUMBER),
        question("Robert", "O'Brien", age=70, number=NUMBER),
    ],
)
def test_a_contradiction_discloses_nothing(subject: Subject) -> None:
    assert not match(subject, ROBERT).disclosable


def test_a_number_that_fails_its_check_digit_counts_for_nothing() -> None:
    misread = stored("Robert", "O'Brien", "1985-03-09", "", FAILING_NUMBER)
    assert not match(question("Robert", "O'Brien", number=FAILING_NUMBER), misread).disclosable
    found = match(question("Robert", "O'Brien", number=FAILING_NUMBER, birth_date="1985-03-09"), misread)
    assert found.best is not None
    assert {result.field: result.level for result in found.best.explanation}["nhs-number"] == "fails its check digit"
    assert found.best.bits.number == 0.0


TWINS = (
    stored("Aisha", "Khan", "2014-03-09", "AB10 1XY"),
    stored("Ayaan", "Khan", "2014-03-09", "AB10 1XY"),
)


def test_twins_are_told_apart_by_their_names() -> None:
    found = match(question("Ayesha", "Khan", birth_date="2014-03-09", postcode="AB10 1XY"), *TWINS)
    assert found.disclosable
    assert found.best is not None
    assert found.best.person_id == 1


@pytest.mark.parametrize("given", ["", "A", "Aya"])
def test_twins_who_are_not_told_apart_stay_silent(given: str) -> None:
    found = match(question(given, "Khan", birth_date="2014-03-09", postcode="AB10 1XY"), *TWINS)
    assert not found.disclosable


def test_twins_of_like_names_stay_silent() -> None:
    ann, anna = (stored(given, "Khan", "2014-03-09", "AB10 1XY") for given in ("Ann", "Anna"))
    assert not match(question("Anna", "Khan", birth_date="2014-03-09", postcode="AB10 1XY"), ann, anna).disclosable


def test_twins_between_whose_names_a_typed_one_lies_stay_silent() -> None:
    ayah, ayaan = (stored(given, "Khan", "2014-03-09", "AB10 1XY") for given in ("Ayah", "Ayaan"))
    subject = question("Aya", "Khan", birth_date="2014-03-09", postcode="AB10 1XY")
    assert match(subject, ayah).disclosable
    assert not match(subject, ayah, ayaan).disclosable


def test_namesakes_of_one_birth_date_in_the_same_street_stay_silent() -> None:
    here, next_door = (stored("John", "Smith", "1960-05-04", postcode) for postcode in ("AB10 1XY", "AB10 1XZ"))
    subject = question("John", "Smith", birth_date="1960-05-04", postcode="AB10 1XY")
    assert not match(subject, here, next_door).disclosable


def test_the_unregistered_twin_does_not_disclose_the_registered_one() -> None:
    found = match(question("Ayaan", "Khan", birth_date="2014-03-09", postcode="AB10 1XY"), TWINS[0])
    assert not found.disclosable


FATHER_AND_SON = (
    stored("John", "Smith", "1960-05-04", "AB10 1XY"),
    stored("John", "Smith", "1988-11-23", "AB10 1XY"),
)


@pytest.mark.parametrize(
    ("details", "person_id"),
    [({"birth_date": "1960-05-04"}, 1), ({"birth_date": "1988"}, 2), ({"age": 65}, 1), ({"age": 37}, 2)],
)
def test_father_and_son_are_told_apart_by_their_births(details: dict[str, Any], person_id: int) -> None:
    found = match(question("John", "Smith", postcode="AB10 1XY", **details), *FATHER_AND_SON)
    assert found.disclosable
    assert found.best is not None
    assert found.best.person_id == person_id


@pytest.mark.parametrize("details", [{}, {"age": 50}, {"birth_date": "1974"}, {"birth_date": "1900-01-01"}])
def test_father_and_son_of_one_name_stay_silent(details: dict[str, Any]) -> None:
    assert not match(question("John", "Smith", postcode="AB10 1XY", **details), *FATHER_AND_SON).disclosable


def test_two_people_of_one_name_and_birth_date_stay_silent() -> None:
    here, there = (stored("John", "Smith", "1960-05-04", postcode) for postcode in ("AB10 1XY", "G2 3HY"))
    silent = match(question("John", "Smith", birth_date="1960-05-04"), here, there)
    assert (silent.others, silent.disclosable) == (1, False)
    told = match(question("John", "Smith", birth_date="1960-05-04", postcode="AB10 1XY"), here, there)
    assert told.disclosable
    assert told.best is not None
    assert told.best.person_id == 1


def test_one_number_on_two_people_stays_silent() -> None:
    same = stored("Robert", "O'Brien", "1985-03-09", "", NUMBER)
    assert not match(question("Robert", "O'Brien", birth_date="1985-03-09", number=NUMBER), same, same).disclosable


def test_an_agency_may_ask_for_some_detail_of_birth() -> None:
    subject = question("Robert", "O'Brien", postcode="AB10 1XY")
    assert match(subject, ROBERT).disclosable
    assert not match(subject, ROBERT, thresholds=Thresholds(birth_needed=True)).disclosable


def test_when_not_everybody_could_be_compared_only_the_unmistakable_is_disclosed() -> None:
    for postcode, disclosable in (("AB10 1XY", True), (None, False)):
        subject = question("Robert", "O'Brien", birth_date="1985-03-09", postcode=postcode)
        assert match(subject, ROBERT, complete=False).disclosable is disclosable


def test_a_person_known_by_two_names_is_one_person() -> None:
    married = Candidate(
        names=((("Susan",), "Smith"), (("Sue",), "Jones")), birth_dates=("1960-05-04",), postcodes=("AB10 1XY",)
    )
    for family in ("Smith", "Jones"):
        assert match(question("Susan", family, birth_date="1960-05-04"), married).disclosable


def test_first_of_january_needs_the_address_too() -> None:
    person = stored("Robert", "Day", "1985-01-01", "AB10 1XY")
    assert not match(question("Robert", "Day", birth_date="1985-01-01"), person).disclosable
    assert match(question("Robert", "Day", birth_date="1985-01-01", postcode="AB10 1XY"), person).disclosable


def test_the_explanation_holds_words_and_weights_but_nothing_stored() -> None:
    found = match(question("Bob", "O'Brian", birth_date="1985-03-19", postcode="AB10 1XY"), ROBERT)
    assert found.best is not None
    told = str(found.best.explanation).lower()
    for value in ("robert", "brien", "1985", "ab10", NUMBER):
        assert value not in told
    assert found.best.bits.total == pytest.approx(sum(result.weight for result in found.best.explanation))


@pytest.mark.parametrize(
    ("details", "grade"),
    [
        ({"postcode": "AB10 1XY"}, MatchGrade.CERTAIN),
        ({}, MatchGrade.CERTAIN),
        ({"postcode": "ZE1 0AA"}, MatchGrade.PROBABLE),
    ],
)
def test_nobody_is_certain_whose_address_contradicts(details: dict[str, Any], grade: MatchGrade) -> None:
    found = match(question("Robert", "O'Brien", birth_date="1985-03-09", **details), ROBERT)
    assert found.disclosable
    assert found.best is not None
    assert found.best.grade is grade


@pytest.mark.parametrize("family", ["", "Obrienne", "Brian", "O'Bryan"])
def test_a_family_name_left_out_or_misspelt_never_makes_surer(family: str) -> None:
    details = {"birth_date": "1985-03-09", "postcode": "AB10 1XY"}
    whole, less = (match(question("R", name, **details), ROBERT) for name in ("O'Brien", family))
    assert whole.best is not None
    assert less.best is None or less.best.grade.rank <= whole.best.grade.rank
    assert whole.disclosable or not less.disclosable


def test_a_brother_of_the_same_first_name_is_not_disclosed_without_a_birth_date() -> None:
    ali = stored("Mohammed Ali", "Rahman", "2014-03-09", "AB10 1XY")
    assert match(question("Mohammed", "Rahman", postcode="AB10 1XY"), ali).disclosable
    assert not match(question("Mohammed Omar", "Rahman", postcode="AB10 1XY"), ali).disclosable


def test_nobody_is_certain_whose_given_name_is_only_like_the_one_asked() -> None:
    daniel = stored("Daniel", "Rahman", "2014-03-09", "AB10 1XY")
    found = match(question("Danielle", "Rahman", birth_date="2014-03-09", postcode="AB10 1XY"), daniel)
    assert found.best is not None
    assert found.best.grade is not MatchGrade.CERTAIN


def test_several_names_asked_at_once_make_each_of_them_less_sure() -> None:
    names = [NameParts(given=("Robert",), family=family) for family in ("O'Brien", "Tench", "Ovens", "Quill")]
    one, four = (match(Subject(names=tuple(names[:n]), birth_date="1985-03-09"), ROBERT) for n in (1, 4))
    assert one.best is not None
    assert four.best is not None
    assert four.best.probability < one.best.probability
    cards = [card_of(ROBERT)]
    asked = asked_of(Subject(names=tuple(names[:1]), birth_date="1985-03-19"), today=TODAY)
    pairs = pairs_of(asked, enumerate(cards, start=1), today=TODAY)
    assert choose(weigh_pairs(pairs, frequencies(cards)), frequencies(cards)).disclosable
    assert not choose(weigh_pairs(pairs, frequencies(cards)), frequencies(cards), names_asked=4).disclosable


def test_of_many_dates_on_record_one_that_agrees_says_less() -> None:
    several = tuple(
        f"19{year}-0{month}-1{day}" for year, month, day in [(71, 2, 3), (62, 5, 1), (55, 8, 8), (90, 4, 6)]
    )
    many = Candidate(names=(((("Robert",), "O'Brien")),), birth_dates=("1985-03-09", *several))
    asked = question("Robert", "O'Brien", birth_date="1985-03-09")
    one, five = match(asked, stored("Robert", "O'Brien", "1985-03-09")), match(asked, many)
    assert one.best is not None
    assert five.best is not None
    assert one.best.bits.birth - five.best.bits.birth == pytest.approx(log2(5))


def test_of_many_names_and_addresses_on_record_one_that_agrees_says_less() -> None:
    names = (((("Robert",), "O'Brien")), (("Rolf",), "Tench"), (("Ned",), "Ovens"), (("Abel",), "Quill"))
    postcodes = ("AB10 1XY", "M1 1AA", "ZM4 7QT", "LN1 4JL")
    many = Candidate(names=names, birth_dates=("1985-03-09",), postcodes=postcodes)
    plain = Candidate(names=names[:1], birth_dates=("1985-03-09",), postcodes=postcodes[:1])
    asked = question("Robert", "O'Brien", birth_date="1985-03-09", postcode="AB10 1XY")
    one, four = match(asked, plain), match(asked, many)
    assert one.best is not None
    assert four.best is not None
    for field in ("given", "family", "postcode"):
        assert getattr(four.best.bits, field) < getattr(one.best.bits, field) - 1.5


def test_one_slip_in_the_postcode_is_forgiven_beside_the_given_name_and_the_birth_date() -> None:
    slip = {"birth_date": "1985-03-09", "postcode": "AB10 1XZ"}
    assert match(question("Robert", "Tench", **slip), ROBERT).disclosable
    assert not match(question("Rupert", "Tench", **slip), ROBERT).disclosable


def test_nobody_is_certain_whose_given_names_stand_in_another_order() -> None:
    """Brothers are called Muhammad Yusuf and Yusuf Muhammad."""
    muhammad = stored("Muhammad Yusuf", "Rahman", "2014-03-09", "AB10 1XY")
    details = {"birth_date": "2014-03-09", "postcode": "AB10 1XY"}
    same = match(question("Muhammad Yusuf", "Rahman", **details), muhammad)
    other = match(question("Yusuf Muhammad", "Rahman", **details), muhammad)
    assert same.best is not None
    assert same.best.grade is MatchGrade.CERTAIN
    assert other.best is not None
    assert other.best.grade is not MatchGrade.CERTAIN
    assert not match(question("Yusuf Muhammad", "Rahman", postcode="AB10 1XY"), muhammad).disclosable


@pytest.mark.parametrize(
    ("registered", "asked", "born"),
    [("Simran Kaur", "Amrit Kaur", "1990-05-05"), ("Beth Marie", "Anna Marie", "1990-05-05")],
)
def test_a_second_name_that_sisters_share_does_not_outweigh_another_first_one(
    registered: str, asked: str, born: str
) -> None:
    assert not match(question(asked, "Hobday", birth_date=born), stored(registered, "Hobday", born)).disclosable


def test_who_goes_by_the_second_name_is_found_by_it() -> None:
    james = stored("Robert James", "Hobday", "1990-05-05", "AB10 1XY")
    assert match(question("James", "Hobday", birth_date="1990-05-05", postcode="AB10 1XY"), james).disclosable


def test_a_long_history_does_not_hide_a_father_behind_his_son() -> None:
    son = stored("John", "Oxenholme", "2011-02-03", "LS3 4AB")
    father = Candidate(
        names=tuple((("John",), f"Oxenholme{end}") for end in ("", "s", "r", "x")),
        birth_dates=("1975-08-09",),
        postcodes=("LS3 4AB", *(f"BD{n} 1AA" for n in range(1, 15))),
    )
    found = match(question("John", "Oxenholme", postcode="LS3 4AB"), son, father)
    assert not found.disclosable
    assert found.others == 1


def test_a_contradicting_family_name_never_makes_surer() -> None:
    robert = stored("Robert Paul", "Quilter", "1985-03-09", "AB10 1XY")
    details = {"birth_date": "1985-03-09", "postcode": "AB10 1XY"}
    right, wrong = (match(question("Robert James", family, **details), robert) for family in ("Quilter", "Xavier"))
    assert right.best is not None
    assert wrong.best is not None
    assert wrong.best.probability <= right.best.probability


def test_a_twin_with_the_same_first_and_another_second_name_stays_silent() -> None:
    ali = stored("Mohammed Ali", "Siddiqui", "2014-03-09", "AB10 1XY")
    details = {"birth_date": "2014-03-09", "postcode": "AB10 1XY"}
    assert match(question("Mohammed", "Siddiqui", **details), ali).disclosable
    assert not match(question("Mohammed Umar", "Siddiqui", **details), ali).disclosable


def test_where_all_live_in_one_neighbourhood_a_slip_in_the_postcode_says_little() -> None:
    letters = "BDFGHJLNPQ"
    estate = []
    for n in range(900):
        a, b, c = letters[n % 10], letters[n // 10 % 10], letters[n // 100]
        born = f"20{10 + n % 9}-0{n % 9 + 1}-1{n % 7}"
        estate.append(stored(f"Child{a}{b}", f"Family{c}", born, f"LS3 4A{a}"))
    asked = question("Harriet", "", birth_date="2014-03-09", postcode="LS3 4AT")
    near = stored("Harriet", "Oxenholme", "2014-03-09", "LS3 4AB")
    assert match(asked, near).best is not None
    alone, among = match(asked, near), match(asked, near, *estate)
    assert alone.best is not None
    assert among.best is not None
    assert among.best.bits.postcode < alone.best.bits.postcode - 4
