"""An officer says that two records are one person, or that they are not: what then is true, and stays true."""

import pytest

from consent_ledger.append import Appended
from consent_ledger.entries import Correction, CorrectionEntry
from consent_ledger.errors import LedgerUnavailable
from gateway.database.contract import Work
from gateway.errors import InputError, StorageError
from tests.unit.ingest.sources import case, person, worker
from tests.unit.people.conftest import Register, twice

NUMBER = "999 000 0018"
ADA = (person("p1"), worker("w1"), case("c1", "p1", "w1"))
P, Q, R = "cases:p1", "second:q1", "third:r1"


async def imports_two(register: Register, **other: str) -> None:
    """Ada by two sources; `other` changes what the second says."""
    await register.imports(*ADA)
    await register.imports(person("q1", **other), worker("w2"), case("c2", "q1", "w2"), name="second")


async def imports_three(register: Register, nhs: str = "") -> None:
    for key, source in (("p1", "cases"), ("q1", "second"), ("r1", "third")):
        await register.imports(person(key, nhs=nhs), name=source)


async def test_a_merge_makes_one_person_with_both_teams_and_all_ids_of_both(register: Register) -> None:
    await imports_two(register, given="Zelda", born="2014-03-10")
    done = await register.merge(P, Q)
    assert done.correction is Correction.SAME
    assert done.one_person
    assert await register.workers() == ["Workerw1", "Workerw2"]
    assert await register.workers(given="Zelda", born="2014-03-10") == ["Workerw1", "Workerw2"]
    assert (await register.team(await register.finds())).person_ids == (1, 2)


async def test_each_decision_is_on_record_with_both_people(register: Register) -> None:
    await imports_two(register)
    done = await register.merge(P, Q)
    assert done.entries == (0, 1)
    assert await register.corrections() == twice(Correction.SAME)
    assert register.ledger is not None
    entries = [entry async for entry in register.ledger.entries()]
    assert [(entry.body or {})["by"] for entry in entries] == ["Wendy Smith"] * 2
    assert [(entry.body or {})["reason"] for entry in entries] == ["confirmed by telephone"] * 2
    await register.ledger.erase(1)
    assert [entry.body is None async for entry in register.ledger.entries()] == [True, False]


async def test_what_cannot_be_put_on_record_is_not_done(register: Register) -> None:
    await imports_two(register)
    before = await register.state()
    assert register.ledger is not None
    await register.ledger.close()
    with pytest.raises(StorageError) as refused:
        await register.merge(P, Q)
    assert isinstance(refused.value.__cause__, LedgerUnavailable)
    assert await register.state() == before


@pytest.mark.parametrize("number", ["", NUMBER], ids=["apart", "one by number"])
async def test_steps_taken_back_restore_exactly_what_was(register: Register, number: str) -> None:
    await imports_three(register, nhs=number)
    before = await register.state()
    for there, back in ((register.merge, register.unmerge), (register.unmerge, register.merge)):
        await there(P, Q)
        assert await register.state() != before
        await back(P, Q)
        assert await register.state() == before


async def test_that_they_are_not_beats_a_shared_number_and_survives_imports_in_any_order(register: Register) -> None:
    for _ in range(2):
        await imports_two(register, nhs=NUMBER)
    await register.imports(person("p1", nhs=NUMBER), worker("w1"), case("c1", "p1", "w1"))
    assert await register.people() == [["p1", "q1"]]
    done = await register.unmerge(P, Q)
    assert done.correction is Correction.NOT_SAME
    assert await register.people() == [["p1"], ["q1"]]
    await register.imports(person("q1", nhs=NUMBER, given="Adaline"), name="second")
    await register.imports(person("p1", nhs=NUMBER, given="Addie"))
    assert await register.people() == [["p1"], ["q1"]]


async def test_parted_before_they_ever_shared_a_number_they_stay_apart(register: Register) -> None:
    await imports_two(register)
    await register.unmerge(P, Q)
    await imports_two(register, nhs=NUMBER)
    await register.imports(person("p1", nhs=NUMBER))
    assert await register.people() == [["p1"], ["q1"]]


async def test_a_third_record_with_the_number_of_both_joins_neither(register: Register) -> None:
    await imports_three(register, nhs=NUMBER)
    assert await register.people() == [["p1", "q1", "r1"]]
    await register.unmerge(P, Q)
    assert await register.people() == [["p1"], ["q1"], ["r1"]]
    await register.merge(P, R)
    assert await register.people() == [["p1", "r1"], ["q1"]]


async def test_a_merge_survives_contradicting_imports(register: Register) -> None:
    await imports_two(register)
    await register.merge(P, Q)
    await imports_two(register, nhs="999 000 0026", born="2013", given="Zelda", family="Other")
    assert await register.people() == [["p1", "q1"]]


async def test_somebody_removed_and_returned_keeps_the_decision(register: Register) -> None:
    await imports_two(register)
    await register.merge(P, Q)
    await register.imports(worker("w1"))
    assert await register.people() == [["q1"]]
    team = await register.team(await register.finds())
    assert (team.person_id, team.person_ids) == (2, (1, 2))
    assert await register.rows("SELECT person_id FROM person_card") == [(2,)]
    await register.imports(*ADA)
    assert await register.people() == [["p1", "q1"]]
    assert sorted(await register.workers()) == ["Workerw1", "Workerw2"]


async def test_somebody_parted_removed_and_returned_stays_apart(register: Register) -> None:
    await imports_three(register, nhs=NUMBER)
    await register.unmerge(P, Q)
    await register.imports(worker("w1"))
    await register.imports(person("p1", nhs=NUMBER))
    assert await register.people() == [["p1"], ["q1"], ["r1"]]


async def test_when_three_part_an_emptied_row_stays_with_those_who_stay(register: Register) -> None:
    await imports_three(register, nhs=NUMBER)
    await register.imports(worker("w1"))
    await register.imports(person("r1", nhs="999 000 0026"), name="third")
    assert await register.people() == [["q1"], ["r1"]]
    team = await register.team(await register.row_id(Q))
    assert team.person_ids == (1, 2)
    assert (await register.team(await register.row_id(R))).person_ids == (3,)


async def test_an_emptied_row_does_not_follow_one_of_them_to_somebody_else(register: Register) -> None:
    await register.imports(person("o1", nhs="999 000 0026"), name="zeroth")
    await imports_three(register, nhs=NUMBER)
    await register.imports(worker("w1"))
    await register.imports(person("r1", nhs="999 000 0026"), name="third")
    assert await register.people() == [["o1", "r1"], ["q1"]]
    assert (await register.team(await register.row_id(Q))).person_ids == (2, 3)
    assert (await register.team(1)).person_ids == (1, 4)


async def test_nobody_is_found_after_a_merge_with_whom_the_ledger_has_yet_to_record(register: Register) -> None:
    await imports_two(register)
    await register.database.write(_unrecorded(2))
    await register.merge(P, Q)
    assert await register.finds() is None


def _unrecorded(person_id: int) -> Work[None]:
    yield (
        "INSERT INTO consent (source_id, federation, key, hash, person_key, person_id, statement, permit, reference,"
        " withdrawn, recorded) SELECT source_id, federation, 'd', x'', key, id, '{}', 0, 'r', 0, 0 FROM person"
        " WHERE id = ?",
        (person_id,),
    )


async def test_of_two_officers_at_once_the_later_is_refused_and_that_is_on_record(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    await imports_two(register)
    assert register.ledger is not None
    log = register.ledger.log_correction

    async def while_another_decides(entry: CorrectionEntry) -> list[Appended]:
        monkeypatch.setattr(register.ledger, "log_correction", log)
        await register.unmerge(P, Q)
        return await log(entry)

    monkeypatch.setattr(register.ledger, "log_correction", while_another_decides)
    with pytest.raises(InputError, match="somebody else has decided"):
        await register.merge(P, Q)
    assert await register.people() == [["p1"], ["q1"]]
    what = [correction for _, _, correction in await register.corrections()]
    assert what == ["not-same"] * 2 + ["same"] * 2 + ["refused"] * 2


@pytest.mark.parametrize("same", [True, False])
async def test_what_has_been_decided_is_refused_and_says_where_it_stands(register: Register, same: bool) -> None:
    await imports_two(register)
    decide = register.merge if same else register.unmerge
    await decide(P, Q)
    with pytest.raises(InputError, match="this has been decided: ledger entry 0, by Wendy Smith"):
        await decide(Q, P)


async def test_a_contradictory_merge_is_refused_and_names_the_decision(register: Register) -> None:
    await imports_three(register)
    await register.merge(P, Q)
    await register.unmerge(P, R)
    before = await register.state()
    with pytest.raises(
        InputError, match=r"cases:p1 and third:r1 are not one person \(ledger entry 2\); take that back"
    ):
        await register.merge(Q, R)
    assert await register.state() == before
    await register.merge(P, R)  # takes it back
    await register.merge(Q, R)
    assert await register.people() == [["p1", "q1", "r1"]]


async def test_a_contradictory_unmerge_is_refused_and_names_the_decisions(register: Register) -> None:
    await imports_three(register)
    await register.merge(P, Q)
    await register.merge(Q, R)
    with pytest.raises(InputError) as refused:
        await register.unmerge(P, R)
    for said in ("cases:p1 and second:q1 are one person", "second:q1 and third:r1 are one person", "take one back"):
        assert said in str(refused.value)


async def test_show_says_which_records_and_why_and_no_name(register: Register) -> None:
    await imports_three(register, nhs=NUMBER)
    await register.imports(person("s1"), name="fourth")
    await register.merge("fourth:s1", P)
    await register.imports(person("t1"), name="fifth")
    await register.unmerge(Q, "fifth:t1")
    await register.imports(worker("w1"), name="third")
    shown = await register.shown(Q)
    assert [(row.name, row.gone, row.by_number) for row in shown.rows] == [
        (P, False, (Q,)),
        (Q, False, (P,)),
        (R, True, ()),
        ("fourth:s1", False, ()),
    ]
    assert [(each.one, each.other, each.decision.same, each.decision.by) for each in shown.decisions] == [
        (P, "fourth:s1", True, "Wendy Smith"),
        (Q, "fifth:t1", False, "Wendy Smith"),
    ]
    assert "uillfeather" not in repr(shown)
