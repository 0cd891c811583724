"""The invented people: the same on every machine, plainly invented, and overlapping as real ones do."""

import re
from datetime import date
from itertools import combinations

import pytest

from gateway.demo.people import nhs_number, residents
from gateway.demo.questions import QUESTIONS
from gateway.demo.registers import CLIENTS, Register, registers

TODAY = date(2026, 11, 22)
DRAMA = re.compile(r"01632 960\d{3}|07700 900\d{3}")


@pytest.fixture(scope="module")
def drawn() -> dict[str, Register]:
    return {register.member: register for register in registers(TODAY)}


def test_the_same_people_are_drawn_every_time() -> None:
    assert residents() == residents()
    assert registers(TODAY) == registers(TODAY)


def test_each_agency_has_its_clients(drawn: dict[str, Register]) -> None:
    assert {member: len(register.clients) for member, register in drawn.items()} == dict.fromkeys(
        ("childrens-services", "community-trust", "police", "housing", "food-bank"), CLIENTS
    )


def test_households_are_known_to_several_agencies(drawn: dict[str, Register]) -> None:
    homes = {member: {client.household for client in register.clients} for member, register in drawn.items()}
    for one, other in combinations(homes.values(), 2):
        assert len(one & other) > 300


def test_every_number_is_reserved_for_fiction(drawn: dict[str, Register]) -> None:
    for register in drawn.values():
        for worker in register.workers:
            assert DRAMA.fullmatch(worker.phone), worker
            assert not worker.mobile or DRAMA.fullmatch(worker.mobile), worker
            assert worker.email.endswith("@example.org")
        assert all(DRAMA.fullmatch(team.phone) for team in register.teams)
        assert all(client.nhs_number[:3] in ("", "999") for client in register.clients)


def test_nhs_numbers_have_their_check_digit() -> None:
    assert nhs_number(1001) == "9990010013"
    for resident in residents():
        total = sum(int(digit) * weight for digit, weight in zip(resident.nhs_number, range(10, 0, -1), strict=True))
        assert total % 11 == 0


def test_registers_hold_the_mistakes_that_real_ones_have(drawn: dict[str, Register]) -> None:
    people = {resident.nhs_number: resident for resident in residents()}
    written = [client for client in drawn["childrens-services"].clients if client.nhs_number in people]
    assert any(client.family != people[client.nhs_number].family for client in written)
    assert any(client.birth_date == "" for client in written)
    assert any(len(client.birth_date) == 4 for client in written)
    assert any(
        client.birth_date[5:7] == f"{people[client.nhs_number].birth_date:%d}"
        and client.birth_date[8:] == f"{people[client.nhs_number].birth_date:%m}"
        and client.birth_date[5:7] != client.birth_date[8:]
        for client in written
    )
    assert any(client.known_as for client in written)
    assert any(not client.postcode for client in written)


def test_there_are_twins_and_a_father_and_son_of_one_name() -> None:
    homes: dict[int, list[tuple[tuple[str, ...], str, date]]] = {}
    for resident in residents():
        homes.setdefault(resident.household, []).append((resident.given, resident.family, resident.birth_date))
    pairs = [(one, other) for home in homes.values() for one in home for other in home if one is not other]
    assert any(one[2] == other[2] for one, other in pairs)
    assert any(one[:2] == other[:2] and one[2].year + 18 < other[2].year for one, other in pairs)


def test_the_people_of_the_questions_share_their_surname_with_nobody(drawn: dict[str, Register]) -> None:
    for number, question in enumerate(QUESTIONS):
        families = {record.family for record in question.records}
        for member, register in drawn.items():
            found = [client for client in register.clients if client.family in families]
            planted = [record for record in question.records if record.member == member]
            assert len(found) == len(planted), (number, member)
            assert all(involved.end is None for involved in register.involvements if involved.client in found)
