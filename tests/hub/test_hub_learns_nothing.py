"""The hub's memory and files after real questions hold none of what was asked; a canary shows that we can look."""

import base64
import sys

import pytest

from tests.hub.kit import Federated
from tests.hub.searched_hub import Person, people, search, searched_hub

QUESTIONS = 200  # some seconds, most of them for searching; `make bench` asks 10,000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_hub_process_holds_nothing_of_what_was_asked(federation: Federated) -> None:
    searched = await searched_hub(federation, questions=QUESTIONS)

    assert len(searched.ids) == QUESTIONS
    assert searched.canary_found()
    assert not searched.asked_found()


def test_search_finds_one_person_of_many_in_every_spelling() -> None:
    everybody = people(10_000)
    assert all(len({getattr(person, kind) for person in everybody}) == 10_000 for kind in Person.__slots__)
    some, wanted = everybody[7_000:8_000], everybody[7_654]
    for fact, kind in (
        (wanted.given, [person.given for person in some]),
        (wanted.family, [person.family for person in some]),
        (wanted.born, [person.born for person in some]),
        (wanted.nhs, [person.nhs for person in some]),
        (wanted.postcode, [person.postcode for person in some]),
    ):
        written = {
            "utf-8": fact.encode(),
            "utf-16": fact.encode("utf-16-le"),
            "utf-32": fact.encode("utf-32-le"),
            "hex": fact.encode().hex().encode(),
        } | {f"base64 after {offset}": base64.b64encode(b"{" * offset + fact.encode() + b'", "') for offset in range(3)}
        for spelling, spelled in written.items():
            found = search(b"\0Z1" + spelled + b"\0Z1", kind)
            # In base64 a text's last character may share its last letter with whatever follows.
            assert {(one.fact[:-1], one.spelling) for one in found} == {(fact[:-1], spelling)}
