"""Every answer is on record before it leaves, with rule and reason; what cannot be put on record is not disclosed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.entries import AnsweredEntry
from consent_ledger.ledger import Ledger
from gateway.database.contract import Statement, Work
from gateway.node.results import MemberOutcome, MemberResult
from gateway.wire.jws import peek
from tests.federation import TestFederation, federation, result_of, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
UNREACHABLE = MemberOutcome.UNREACHABLE
OBJECTION = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception")


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members, two of whom know Katherine; the agency knows somebody else too."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as running:
        for member in (AGENCY, OTHER):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2", service="meals"))
        yield running


async def ask(north: TestFederation, name: str = "Katherine Bramley", born: str = "1991-05-17") -> MemberResult:
    """What the agency said; the other member must have answered in any case."""
    completed = await north.ask(ASKER, name, born=born)
    assert result_of(completed, OTHER).outcome.answered
    return result_of(completed, AGENCY)


async def test_each_answer_has_exactly_one_entry_with_its_rule_and_reason(north: TestFederation) -> None:
    disclosed = await ask(north)
    no_rule = await ask(north, "Priya Nandakumar", "1988-02-03")
    unknown = await ask(north, "Nobody Knownhere", "1970-01-01")
    await north.record(AGENCY, "p1", OBJECTION)
    refused = await ask(north)

    entries = await north.ledger(AGENCY)
    assert [(entry["outcome"], [_why(each) for each in entry.get("decisions", ())]) for entry in entries] == [
        ("teams", [("permit", "coordination", None)]),
        ("nothing-to-disclose", [("deny", None, "no-rule")]),
        ("nothing-to-disclose", []),
        ("nothing-to-disclose", [("deny", "coordination", "objection")]),
    ]
    assert [entry["asker"]["practitioner"] for entry in entries] == ["asker-1"] * 4
    # Each answer names the leaf under which it is on record.
    leaves = {e.leaf_hash async for e in north.nodes[AGENCY].parts.ledger.entries()}
    named = [_claims(result)["ledger_leaf"] for result in (disclosed, no_rule, unknown, refused)]
    assert len(set(named)) == 4
    assert set(named) <= leaves
    await north.nodes[AGENCY].parts.ledger.verify()


async def test_a_question_that_matched_nobody_keeps_nothing_of_its_subject(north: TestFederation) -> None:
    name, born, postcode = "Zebedee Quillfeather", "1953-07-29", "ZZ99 3WZ"
    completed = await north.ask(ASKER, name, born=born, postcode=postcode, nhs="999 000 0107")
    assert result_of(completed, AGENCY).outcome is NOTHING
    (entry,) = await north.ledger(AGENCY)
    kept = orjson.dumps(entry).decode().casefold()
    for word in ("zebedee", "quillfeather", "1953", "07-29", "zz99", "3wz", "9990000107"):
        assert word not in kept
    assert entry.keys() == {"kind", "at", "jti", "query_sha256", "asker", "purpose", "outcome", "expires_at"}
    # Nor does any file of the node, in any of its tables.
    for file in (north.folder / AGENCY / "data").iterdir():
        content = file.read_bytes().lower()
        assert not [word for word in (b"zebedee", b"quillfeather", b"9990000107") if word in content], file.name
    # Only the asker keeps the question.
    asked = [entry async for entry in north.nodes[ASKER].parts.ledger.entries()]
    assert any(each.body and each.body["kind"] == "asked" for each in asked)


def _room(pages: int | None) -> Work[None]:
    """Let a database grow by so many pages and no more; None: by as many as it likes."""
    ((count,),) = yield Statement("PRAGMA page_count")
    limit = 2**30 if pages is None else count + pages
    yield Statement(f"PRAGMA max_page_count = {limit:d}")


async def test_a_full_disk_discloses_nothing_and_works_again_when_there_is_space(north: TestFederation) -> None:
    """`max_page_count` makes SQLite refuse exactly as a full disk does (SQLITE_FULL)."""
    database = north.nodes[AGENCY].ledger_database
    await database.write(_room(0))
    outcomes = [await ask(north) for _ in range(12)]
    # The last page takes a few entries; no answer is without its entry.
    on_record = await north.ledger(AGENCY)
    spoken = [each.outcome.value for each in outcomes if each.outcome.answered]
    assert spoken == [entry["outcome"] for entry in on_record]
    assert outcomes[-1].outcome is UNREACHABLE
    assert outcomes[-1].member.duty_contact
    unknown = await ask(north, "Nobody Knownhere", "1970-01-01")
    assert unknown.outcome is UNREACHABLE  # as for a known person

    await database.write(_room(None))
    assert (await ask(north)).outcome is TEAMS
    await north.nodes[AGENCY].parts.ledger.verify()


async def test_what_cannot_be_put_on_record_of_a_known_person_alone_looks_unknown(north: TestFederation) -> None:
    """A key for a person whom the ledger does not know yet has no room; one for unknown people is there."""
    unknown = await ask(north, "Nobody Knownhere", "1970-01-01")
    await north.nodes[AGENCY].keys_database.write(_no_more_keys())
    known = await ask(north)
    assert known.outcome is unknown.outcome is NOTHING
    assert _claims(known).keys() == _claims(unknown).keys()
    assert [entry["outcome"] for entry in await north.ledger(AGENCY)] == ["nothing-to-disclose"] * 2


def _no_more_keys() -> Work[None]:
    yield Statement(
        "CREATE TRIGGER no_room BEFORE INSERT ON person_key BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    )


async def test_a_withdrawal_between_decision_and_log_is_decided_again(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The withdrawal is on record before the answer: so the answer must heed it, though it was decided before."""
    assert (await ask(north)).outcome is TEAMS
    ledger = north.nodes[AGENCY].parts.ledger
    log_answer, decided = Ledger.log_answer, []

    async def withdraw_first(self: Ledger, entry: AnsweredEntry) -> Any:
        if self is ledger:
            decided.append(entry.outcome)
            if len(decided) == 1:
                await north.record(AGENCY, "p1", OBJECTION)
        return await log_answer(self, entry)

    monkeypatch.setattr(Ledger, "log_answer", withdraw_first)
    assert (await ask(north)).outcome is NOTHING
    assert decided == ["teams", "nothing-to-disclose"]
    last = (await north.ledger(AGENCY))[-1]
    assert [_why(each) for each in last["decisions"]] == [("deny", "coordination", "objection")]


async def test_consents_that_never_stand_still_end_as_for_an_unknown_person(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = north.nodes[AGENCY].parts.ledger
    log_answer = Ledger.log_answer

    async def move_first(self: Ledger, entry: AnsweredEntry) -> Any:
        if self is ledger and entry.person_id is not None:
            await north.record(AGENCY, "p1", ConsentEntry(kind=ConsentKind.WITHDRAWAL, recorded_by="reception"))
        return await log_answer(self, entry)

    monkeypatch.setattr(Ledger, "log_answer", move_first)
    assert (await ask(north)).outcome is NOTHING
    assert len(await north.ledger(AGENCY)) == 1


async def test_many_questions_at_once_are_each_on_record_once(north: TestFederation) -> None:
    results = await asyncio.gather(*(ask(north) for _ in range(10)))
    assert [each.outcome for each in results] == [TEAMS] * 10
    entries = await north.ledger(AGENCY)
    assert len({entry["jti"] for entry in entries}) == len(entries) == 10


def _why(decision: dict[str, Any]) -> tuple[str, str | None, str | None]:
    return decision["effect"], decision["rule"], decision.get("reason")


def _claims(result: MemberResult) -> dict[str, Any]:
    assert result.answer is not None
    return peek(result.answer, max_bytes=4096)
