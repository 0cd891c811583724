"""Whoever tries out guesses about one person, or asks without end, is told what an unknown person produces."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consent_ledger.append import Appended
from consent_ledger.entries import AnsweredEntry
from consent_ledger.errors import LedgerUnavailable
from consent_ledger.ledger import Ledger
from gateway.node import answer
from gateway.node.ask import ask
from gateway.node.decisions import Decided
from gateway.node.results import Completed, MemberOutcome, MemberResult
from gateway.wire.limits import SEALED_ANSWER_BYTES
from tests.federation import TestFederation, federation, result_of, someone
from tests.flow.test_nothing_to_disclose import told

ASKER, OTHER, AGENCY = "childrens-services", "police", "housing"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
BORN, POSTCODE = "1991-05-17", "ZM4 7QT"
DAY = 86_400
# Each finds Katherine Bramley.
VARIANTS = (
    ("Katherine Bramley", {"born": BORN}),
    ("Kate Bramley", {"born": BORN}),
    ("Katherine Bramley", {"born": BORN, "postcode": POSTCODE}),
    ("Katharine Bramley", {"born": BORN}),
    ("Kate Bramley", {"born": BORN, "postcode": POSTCODE}),
    ("Katherine Bramley", {"postcode": POSTCODE}),
    ("Katherine Bramley", {"born": "1991", "postcode": POSTCODE}),
    ("Kathryn Bramley", {"born": BORN, "postcode": POSTCODE}),
)


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Two askers and an agency that knows two people; a practitioner may ask eight questions a day, a member twelve."""
    budgets = "[budgets]\nquestions_per_practitioner = 8\nquestions_per_member = 12"
    async with federation(tmp_path, [ASKER, OTHER, AGENCY], lying=True, options=budgets) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", BORN, postcode=POSTCODE))
        await running.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2", postcode="ZM9 1AA"))
        yield running


async def said(
    north: TestFederation, name: str, *, member: str = ASKER, practitioner: str = "asker-1", **details: Any
) -> MemberResult:
    """What the agency answers one practitioner."""
    question = north.question(member, name, **details)
    question = replace(question, practitioner=replace(question.practitioner, id=practitioner))
    events = [event async for event in ask(question, node=north.nodes[member].parts)]
    assert isinstance(events[-1], Completed)
    return result_of(events[-1], AGENCY)


async def outcomes(north: TestFederation, number: int, **who: str) -> list[MemberOutcome]:
    """What the first `number` variants lead to."""
    return [(await said(north, name, **details, **who)).outcome for name, details in VARIANTS[:number]]


@pytest.mark.parametrize("fault", ["decide_team", "log_answer"])
async def test_a_question_that_fails_about_somebody_known_is_counted_as_one_about_nobody(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Else whoever finds a way to make it fail could go on asking."""
    name, details = VARIANTS[0]
    log_answer = Ledger.log_answer

    def fails(*_: object, **__: object) -> Decided:
        raise ValueError

    async def fails_of_known(ledger: Ledger, entry: AnsweredEntry) -> Appended:
        if entry.person_id is not None:
            raise LedgerUnavailable("the entry is too long, say")
        return await log_answer(ledger, entry)

    with monkeypatch.context() as broken:
        if fault == "decide_team":
            broken.setattr(answer, "decide_team", fails)
        else:
            broken.setattr(Ledger, "log_answer", fails_of_known)
        assert {(await said(north, name, **details)).outcome for _ in range(8)} == {NOTHING}
    assert (await said(north, name, **details)).outcome is NOTHING  # this practitioner's eight are used up
    assert (await said(north, name, practitioner="asker-2", **details)).outcome is TEAMS
    withheld = [body.get("withheld") for body in await north.ledger(AGENCY)]
    assert withheld == [*[None] * 8, "practitioner", None]


def alerts(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.event_fields for record in caplog.records if record.getMessage() == "budget.spent"]  # type: ignore[attr-defined]


async def test_the_sixth_variant_of_one_person_and_all_after_it_look_unknown(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = await said(north, "Nobody Knownhere", born="1970-01-01")
    caplog.set_level(logging.WARNING, logger="patchwork")
    assert await outcomes(north, 6) == [TEAMS] * 5 + [NOTHING]
    refused = await said(north, "Katherine Bramley", born=BORN)  # which was told before
    assert told(refused) == told(unknown)
    assert north.liar is not None
    assert {len(line["answer"]) for stream in north.liar.streams for line in stream if "answer" in line} == {
        -(-SEALED_ANSWER_BYTES * 4 // 3)
    }
    # Nobody else's question, and nobody else's person, is refused for it.
    assert (await said(north, "Katherine Bramley", born=BORN, member=OTHER)).outcome is TEAMS
    assert (await said(north, "Priya Nandakumar", born="1988-02-03", practitioner="asker-2")).outcome is TEAMS
    # It is on record, and somebody is told once: by ids alone.
    entries = await north.ledger(AGENCY)
    assert [entry["withheld"] for entry in entries if "withheld" in entry] == ["person", "person"]
    assert [entry["person_id"] for entry in entries if "withheld" in entry and "person_id" in entry] == []
    (alert,) = (each for each in alerts(caplog) if each["kind"] == "person")
    assert alert.keys() == {"jti", "member", "kind"}
    assert (alert["member"], alert["kind"], alert["jti"]) == (ASKER, "person", entries[6]["jti"])


async def test_one_question_repeated_is_no_variant(north: TestFederation) -> None:
    for name in ("Katherine Bramley", "KATHERINE  BRAMLEY", "Bramley, Katherine") * 2:
        assert (await said(north, name, born=BORN)).outcome is TEAMS
    assert await outcomes(north, 2) == [TEAMS] * 2


async def test_variants_of_nobody_known_are_counted_too(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    for day in range(10, 16):
        assert (await said(north, "Nobody Knownhere", born=f"1970-03-{day}")).outcome is NOTHING
    assert [alert["kind"] for alert in alerts(caplog)] == ["typed-person"] * 2  # at both agencies that were asked
    assert (await north.ledger(AGENCY))[-1]["withheld"] == "typed-person"


async def test_variants_asked_at_once_find_no_gap(north: TestFederation) -> None:
    answers = await asyncio.gather(*(said(north, name, **details) for name, details in VARIANTS))
    assert [answer.outcome for answer in answers].count(TEAMS) == 5


async def test_a_practitioner_has_a_budget_and_so_has_a_member(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(8):
        assert (await said(north, "Katherine Bramley", born=BORN)).outcome is TEAMS
    assert (await said(north, "Katherine Bramley", born=BORN)).outcome is NOTHING
    for _ in range(3):  # the refused question has counted
        assert (await said(north, "Katherine Bramley", born=BORN, practitioner="asker-2")).outcome is TEAMS
    assert (await said(north, "Katherine Bramley", born=BORN, practitioner="asker-3")).outcome is NOTHING
    assert (await said(north, "Katherine Bramley", born=BORN, member=OTHER)).outcome is TEAMS
    assert sorted(alert["kind"] for alert in alerts(caplog)) == ["member"] * 2 + ["practitioner"] * 2


async def test_counts_outlive_a_restart_and_end_with_the_day(north: TestFederation) -> None:
    assert await outcomes(north, 6) == [TEAMS] * 5 + [NOTHING]
    await north.stop(AGENCY)
    await north.start(AGENCY)
    await north.refresh()
    assert (await said(north, "Katherine Bramley", born=BORN)).outcome is NOTHING
    north.clock.turn(DAY)
    await north.publish()
    await north.refresh()
    assert await outcomes(north, 5) == [TEAMS] * 5


async def test_what_is_stored_names_nobody_and_goes_with_its_key(north: TestFederation) -> None:
    for day in range(3):
        await outcomes(north, 3)
        north.clock.turn(DAY)
        await north.publish()
        await north.refresh()
        data = north.folder / AGENCY / "data"
        days, names = (
            rows(data / "ledger.db", "SELECT DISTINCT day FROM asked_today"),
            rows(data / "ledger.db", "SELECT name, variant FROM asked_today"),
        )
        secrets = rows(data / "keys.db", "SELECT day FROM day_key")
        assert len(days) == len(secrets) == min(day + 1, 2)
        assert not any(word in bytes(value) for row in names for value in row for word in (b"Bramley", b"asker"))


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a file holds while its node runs."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
