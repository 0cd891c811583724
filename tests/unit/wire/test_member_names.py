"""What a member may be called, and what in a name would deceive who compares fingerprints beside it."""

from dataclasses import replace

import pytest

from gateway.errors import MalformedMessage
from gateway.wire.federation import member_json, read_member
from tests.unit.wire.parties import CHARITY, Parties

FINGERPRINT = "07e1 378e 1b2f 43f1 aef4 0aa1 4c69 8be9"


@pytest.mark.parametrize(
    "name",
    [
        "Foodbank Northshire",
        "Children's Services (out of hours), No. 3",
        "Gwasanaethau Plant \u2013 Ynys Môn",
        "Age & Opportunity + Friends",
        "O\u2019Connor House",
        "Zoe\u0308 Trust",  # a letter and its mark
        "हिंदी क़ीं सेवा",
        "שָׁלוֹם",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # a joiner between two letters
        "Đặng",
        "愛の家",
    ],
)
def test_names_of_agencies_are_names(parties: Parties, name: str) -> None:
    entry = member_json(replace(parties.federation.members[CHARITY], name=name))
    assert read_member(entry).name == name


@pytest.mark.parametrize(
    "name",
    [
        "Foodbank".ljust(80) + f"  key {FINGERPRINT}",  # padded to the end of a terminal's line
        " Foodbank",
        "Foodbank ",
        "Foodbank\u00a0Northshire",
        "Foodbank\u3000Northshire",
        "\u00a0",
        "\u3164",  # Hangul filler, a letter that nobody sees
        "Foodbank\u115f",
        "Foodbank\u2800",  # braille without a dot
        "Foodbank\ufe0f",  # variation selector
        "Foodbank\u034f",
        "Z" + "\u0301" * 4,
        "\u0301Foodbank",
        "Food \u0301bank",
        "Foodbank\u20dd",  # a mark around the letter
        "Foodbank\u200d",
        "\u200d",
        "\ue000\uf8ff",  # private use
        "Foodbank\u0378",  # unassigned
        "☃",
        "...",
    ],
)
def test_what_only_looks_like_a_name_or_like_something_else_is_none(parties: Parties, name: str) -> None:
    entry = member_json(replace(parties.federation.members[CHARITY], name=name))
    with pytest.raises(MalformedMessage, match="name"):
        read_member(entry)
