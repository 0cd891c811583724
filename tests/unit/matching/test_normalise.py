"""Normalising: what different ways of writing one thing have in common, and what cannot be used."""

from datetime import date

import pytest

from gateway.matching.normalise import (
    MAX_TOKEN_CHARS,
    MAX_TOKENS,
    BirthDate,
    age_on,
    name_tokens,
    nhs_number,
    parse_birth_date,
    parse_postcode,
    plausible_age,
    plausible_birth_date,
    skeleton,
)
from gateway.matching.roots import roots

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Mary-Anne", ("mary", "anne")),
        ("  o'BRIEN ", ("obrien",)),
        ("O\u2019Brien", ("obrien",)),
        ("Dr. Zoë", ("zoe",)),
        ("Zoe\u0308", ("zoe",)),  # the diaeresis as a mark of its own
        ("Łukasz", ("lukasz",)),
        ("Straße", ("strasse",)),
        ("Олена", ("olena",)),
        ("محمد", ("mhmd",)),
        ("王小明", ("wangxiaoming",)),
        ("\uff2d\uff41\uff52\uff59", ("mary",)),  # full-width letters
        ("Ma\u200dry\u202e", ("mary",)),  # joiner, right-to-left override
        ("Mary \U0001f600", ("mary",)),  # not the word for the emoji
        ("Robert'); DROP TABLE person;--", ("robert", "drop", "table", "person")),
        (".*[a-z]+(", ("a", "z")),
        ("Mary\x00\x1b[31m", ("mary", "m")),
        ("Lord", ("lord",)),  # a family name where nothing else is
        ("Unknown", ()),
        ("123", ()),
        ("", ()),
    ],
)
def test_names_of_any_writing_become_plain_tokens(text: str, tokens: tuple[str, ...]) -> None:
    assert name_tokens(text) == tokens


@pytest.mark.parametrize("text", ["a" * 10_000, "ab " * 10_000, "\ufdfa" * 10_000, "\U0001f600" * 10_000, "é" * 10_000])
def test_long_names_are_cut(text: str) -> None:
    tokens = name_tokens(text)
    assert len(tokens) <= MAX_TOKENS
    assert all(len(token) <= MAX_TOKEN_CHARS for token in tokens)


@pytest.mark.parametrize(
    "spellings",
    [
        ("mohammed", "muhammad", "mohamed", "mhmd"),
        ("hussain", "husein"),
        ("yusuf", "yousef"),
        ("stephen", "stefan"),
        ("macdonald", "mcdonald"),
        ("knight", "night"),
    ],
)
def test_spellings_of_one_sound_share_a_skeleton(spellings: tuple[str, ...]) -> None:
    assert len({skeleton(spelling) for spelling in spellings}) == 1


def test_different_names_have_different_skeletons() -> None:
    assert len({skeleton(name) for name in ("smith", "jones", "patel", "brown", "khan")}) == 5


def test_nicknames_share_a_root_with_their_formal_name() -> None:
    assert roots("bob") & roots("robert")
    assert roots("liz") & roots("elizabeth")
    assert not roots("robert") & roots("elizabeth")


@pytest.mark.parametrize(
    ("text", "born"),
    [
        ("2014-03-09", BirthDate(2014, 3, 9)),
        ("2014-03", BirthDate(2014, 3)),
        ("2014", BirthDate(2014)),
        ("2024-02-29", BirthDate(2024, 2, 29)),
        ("2023-02-29", BirthDate(2023)),  # does not exist: only the year counts
        ("2014-13-09", BirthDate(2014)),
        ("1900-01-01", None),
        ("1111-11-11", None),
        ("09/03/2014", None),
        ("2014-3-9", None),
        ("\u0662\u0660\u0661\u0664", None),  # digits of another script
        ("2014-03-09T00:00:00", BirthDate(2014, 3, 9)),
        ("", None),
        (None, None),
        ("9" * 10_000, None),
    ],
)
def test_birth_dates_are_read_as_far_as_they_can_be(text: str | None, born: BirthDate | None) -> None:
    assert parse_birth_date(text) == born


@pytest.mark.parametrize("text", ["2026-03-02", "2027", "2026-04", "1895-12-31", "1881"])
def test_nobody_living_is_born_in_the_future_or_older_than_anybody(text: str) -> None:
    assert plausible_birth_date(text, TODAY) is None


def test_somebody_born_today_is_plausible() -> None:
    assert plausible_birth_date("2026-03-01", TODAY) == BirthDate(2026, 3, 1)
    assert plausible_birth_date("2026", TODAY) == BirthDate(2026)


@pytest.mark.parametrize(("age", "kept"), [(0, 0), (130, 130), (131, None), (-1, None), (None, None), (10**30, None)])
def test_ages_that_nobody_has_are_left_out(age: int | None, kept: int | None) -> None:
    assert plausible_age(age) == kept


def test_age_counts_the_birthday_itself() -> None:
    assert age_on(BirthDate(2016, 3, 1), TODAY) == 10
    assert age_on(BirthDate(2016, 3, 2), TODAY) == 9
    assert age_on(BirthDate(2016, 2, 29), date(2025, 2, 28)) == 8


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("ab10 1xy", "AB10 1XY"),
        ("AB101XY", "AB10 1XY"),
        (" ab10-1xy. ", "AB10 1XY"),
        ("sw1a 1aa", "SW1A 1AA"),
        ("M1 OAA", "M1 0AA"),  # the letter O for a zero
        ("ab10", "AB10"),
        ("ZZ99 3VZ", None),  # "no fixed abode"
        ("75008", "75008"),
        ("K1A 0B1", "K1A0B1"),
        ("\U0001f600", None),
        ("X", None),
        ("", None),
        (None, None),
        ("A" * 10_000, "AAAAAAAAAA"),
    ],
)
def test_postcodes_are_read_whole_or_as_a_district(text: str | None, postcode: str | None) -> None:
    assert parse_postcode(text) == postcode


@pytest.mark.parametrize("text", ["999 000 0018", "999-000-0018", "9990000018"])
def test_nhs_number_may_be_grouped(text: str) -> None:
    assert nhs_number(text) == "9990000018"


@pytest.mark.parametrize(
    "text",
    ["9990000019", "0000000000", "1111111111", "999000001", "99900000180", "999000001\u0668", "", None, "x" * 10_000],
)
def test_nhs_number_with_a_wrong_check_digit_or_form_is_nothing(text: str | None) -> None:
    assert nhs_number(text) is None
