"""One question is about one person: a list of family names to be tried finds nobody."""

import pytest

from gateway.matching.compare import NameLevel, compare_family


@pytest.mark.parametrize(
    ("asked", "stored", "level"),
    [
        (("bramley",), ("bramley", "osei"), NameLevel.PART),
        (("osei", "bramley", "smith"), ("bramley", "osei"), NameLevel.PART),
        (("garcia", "lopez"), ("garcia",), NameLevel.PART),
        (("de", "la", "cruz", "garcia"), ("garcia",), NameLevel.PART),
        (("smith", "jones", "garcia"), ("garcia",), NameLevel.OTHER),
        (("smith", "jones", "khan", "bramley"), ("bramley", "osei"), NameLevel.OTHER),
        (("smith", "jones", "khan", "ali", "brown", "bramley"), ("bramley",), NameLevel.OTHER),
    ],
)
def test_a_part_counts_only_where_it_is_not_one_of_many(
    asked: tuple[str, ...], stored: tuple[str, ...], level: NameLevel
) -> None:
    assert compare_family(asked, stored) is level
