"""Levels: how two values of one field compare."""

from datetime import date

import pytest

from gateway.matching.compare import (
    BirthLevel,
    NameLevel,
    PlaceLevel,
    compare_births,
    compare_family,
    compare_given,
    compare_postcodes,
)
from gateway.matching.normalise import name_tokens, parse_birth_date, parse_postcode

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("asked", "stored", "level"),
    [
        ("mary", "mary anne", NameLevel.EXACT),
        ("anne mary", "mary anne", NameLevel.EXACT),
        ("xiaoming", "xiao ming", NameLevel.EXACT),
        ("bob", "robert", NameLevel.NICKNAME),
        ("rob", "bob", NameLevel.NICKNAME),
        ("mohammed", "muhamad", NameLevel.SOUND),
        ("margaret", "margaert", NameLevel.CLOSE),
        ("lian", "liam", NameLevel.NEAR),
        ("r", "robert", NameLevel.INITIAL),
        ("r", "william", NameLevel.OTHER),
        ("r", "r", NameLevel.INITIAL),
        ("anne", "mary anne", NameLevel.SECOND),
        ("robert", "mary", NameLevel.OTHER),
        ("", "mary", NameLevel.MISSING),
    ],
)
def test_given_names(asked: str, stored: str, level: NameLevel) -> None:
    assert compare_given(name_tokens(asked), name_tokens(stored)) is level


@pytest.mark.parametrize(
    ("asked", "stored", "level"),
    [
        ("o brien", "o'brien", NameLevel.EXACT),
        ("smith-jones", "jones smith", NameLevel.EXACT),
        ("smith", "smith-jones", NameLevel.PART),
        ("smith-brown", "smith-jones", NameLevel.PART),
        ("van dijk", "van gogh", NameLevel.OTHER),  # sharing a particle is sharing nothing
        ("clark", "clarke", NameLevel.CLOSE),
        ("hussein", "hussain", NameLevel.CLOSE),
        ("smith", "patel", NameLevel.OTHER),
        ("", "patel", NameLevel.MISSING),
    ],
)
def test_family_names(asked: str, stored: str, level: NameLevel) -> None:
    assert compare_family(name_tokens(asked), name_tokens(stored)) is level


@pytest.mark.parametrize(
    ("asked", "stored", "level"),
    [
        ("2014-03-09", "2014-03-09", BirthLevel.EXACT),
        ("2014-09-03", "2014-03-09", BirthLevel.SWAPPED),
        ("2014-03-19", "2014-03-09", BirthLevel.EDIT),
        ("2013-03-09", "2014-03-09", BirthLevel.EDIT),
        ("2014-03-12", "2014-03-09", BirthLevel.NEAR),
        ("2014-01-01", "2014-01-01", BirthLevel.FIRST_OF_JANUARY),
        ("2014-03-28", "2014-03-09", BirthLevel.TWO_PARTS),
        ("2014-11-28", "2014-03-09", BirthLevel.YEAR_ONLY),
        ("1985-03-09", "2014-03-09", BirthLevel.OTHER),  # same day, another generation
        ("1985-06-20", "2014-03-09", BirthLevel.OTHER),
        ("2014-03", "2014-03-09", BirthLevel.MONTH),
        ("2014-03-09", "2014-03", BirthLevel.MONTH),
        ("2014", "2014-03-09", BirthLevel.YEAR),
        ("2014-04", "2014-03-09", BirthLevel.YEAR_ONLY),
        ("2013", "2014-03-09", BirthLevel.YEAR_OFF),
        ("2010", "2014-03-09", BirthLevel.OTHER),
    ],
)
def test_birth_dates(asked: str, stored: str, level: BirthLevel) -> None:
    born, other = parse_birth_date(asked), parse_birth_date(stored)
    assert other is not None
    assert compare_births(born, None, (other,), TODAY)[0] is level


@pytest.mark.parametrize(
    ("age", "stored", "level"),
    [
        (10, "2016-03-01", BirthLevel.AGE),
        (9, "2016-03-02", BirthLevel.AGE),
        (10, "2016-03-02", BirthLevel.AGE_OFF),
        (12, "2016-03-01", BirthLevel.OTHER),
        (9, "2016", BirthLevel.AGE),
        (10, "2016", BirthLevel.AGE),
        (11, "2016", BirthLevel.AGE_OFF),
    ],
)
def test_ages(age: int, stored: str, level: BirthLevel) -> None:
    born = parse_birth_date(stored)
    assert born is not None
    assert compare_births(None, age, (born,), TODAY)[0] is level


def test_of_several_stored_birth_dates_the_best_counts() -> None:
    dates = tuple(born for text in ("1985-06-20", "2014-03-19") if (born := parse_birth_date(text)))
    assert compare_births(parse_birth_date("2014-03-09"), None, dates, TODAY)[0] is BirthLevel.EDIT


@pytest.mark.parametrize(
    ("asked", "stored", "level"),
    [
        ("AB10 1XY", "AB10 1XY", PlaceLevel.EXACT),
        ("AB10 1XY", "AB10 1XZ", PlaceLevel.EDIT),
        ("AB10 1XY", "AB11 1XY", PlaceLevel.EDIT),
        ("AB10 1XY", "AB10 1QZ", PlaceLevel.SECTOR),
        ("AB10 1XY", "AB10 2QZ", PlaceLevel.OUTWARD),
        ("AB10", "AB10 1XY", PlaceLevel.OUTWARD),
        ("AB10", "AB10", PlaceLevel.OUTWARD),
        ("AB10", "AB11 1XY", PlaceLevel.OTHER),
        ("AB10 1XY", "G2 3HY", PlaceLevel.OTHER),
        ("75008", "75008", PlaceLevel.EXACT),
        ("75008", "75009", PlaceLevel.EDIT),
    ],
)
def test_postcodes(asked: str, stored: str, level: PlaceLevel) -> None:
    other = parse_postcode(stored)
    assert other is not None
    assert compare_postcodes(parse_postcode(asked), (other,)) is level
