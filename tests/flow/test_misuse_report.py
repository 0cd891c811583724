"""The officer's weekly report, from what two nodes have on record: by practitioner and entry, and nobody's name."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from gateway.cli.misuse import lines, monday_of
from gateway.errors import ConfigurationError, InputError
from gateway.node.ask import ask
from gateway.node.misuse_report import WeeklyReport, habits_of, weekly_report
from gateway.policy.misuse import Pattern
from gateway.settings import MisuseTable
from tests.federation import NOW, TestFederation, federation, someone
from tests.flow.commands import done, refused

ASKER, AGENCY = "childrens-services", "housing"
TODAY = datetime.fromtimestamp(NOW, UTC).date()  # a Monday
MONDAY = TODAY - timedelta(days=TODAY.weekday())
WEEK = "{}-W{:02}".format(*MONDAY.isocalendar()[:2])
TABLE = MisuseTable(searches_without_contact=1)


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Alex Asker asks; the agency knows a Katherine Bramley and a Robin Asker, and so does the asker's own register."""
    async with federation(tmp_path, [ASKER, AGENCY]) as running:
        for member in (ASKER, AGENCY):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17", worker="Dana Colleague"))
            await running.add(
                member, *someone("Robin", "Asker", "1988-02-03", key="p2", postcode="ZM9 1AA", worker="Sam Other")
            )
        yield running


async def search(north: TestFederation, name: str, born: str, *, who: str = "Alex Asker", id_: str = "asker-1") -> None:
    question = north.question(ASKER, name, born=born)
    question = replace(question, practitioner=replace(question.practitioner, name=who, id=id_))
    assert [event async for event in ask(question, node=north.nodes[ASKER].parts)]


async def report(north: TestFederation, member: str, *, monday: date = MONDAY) -> WeeklyReport:
    return await weekly_report(
        north.nodes[member].parts,
        monday=monday,
        staff=["Wendy Smith"],
        habits=habits_of(TABLE),
        contact_within_days=TABLE.contact_within_days,
    )


def shown(report: WeeklyReport) -> dict[Pattern, tuple[int, ...]]:
    return {item.pattern: item.entries for item in report.items}


async def test_both_ends_see_what_they_can_know(north: TestFederation) -> None:
    await search(north, "Katherine Bramley", "1991-05-17")  # nothing about it stands out
    assert shown(await report(north, ASKER)) == shown(await report(north, AGENCY)) == {}
    await search(north, "Robin Asker", "1988-02-03")  # the asker's family name
    await search(north, "Alexander Asker", "1970-01-01")  # the asker's own, whom nobody knows
    await search(north, "Dana Colleague", "1980-01-01")
    await search(north, "Wendy Smith", "1980-01-01")

    asked, answered = await report(north, ASKER), await report(north, AGENCY)

    entries = [entry async for entry in north.nodes[ASKER].parts.ledger.entries()]
    questions = [entry.seq for entry in entries if entry.body is not None and entry.body["kind"] == "asked"]
    assert shown(asked) == {
        Pattern.FAMILY_NAME: (questions[1],),
        Pattern.ONESELF: (questions[2],),
        Pattern.COLLEAGUE: (questions[3], questions[4]),
    }
    assert (asked.asked, asked.answered, asked.unreadable) == (5, 0, 0)
    # Who answers knows the asker, and the name of whom it has found.
    assert list(shown(answered)) == [Pattern.FAMILY_NAME]
    assert (answered.asked, answered.answered) == (0, 5)
    text = "\n".join([*lines(asked, ASKER), *lines(answered, AGENCY)])
    assert not any(name in text for name in ("Robin", "Bramley", "Dana", "Wendy", "Alex", "1988"))
    assert "asker-1, asked here: 1" in text
    assert "childrens-services/asker-1, answered here: 1" in text


async def test_other_weeks_are_not_in_it(north: TestFederation) -> None:
    await search(north, "Robin Asker", "1988-02-03")
    north.clock.turn(7 * 86_400)
    await north.publish()
    await north.refresh()
    await search(north, "Katherine Bramley", "1991-05-17")
    for member in (ASKER, AGENCY):
        first, second = await report(north, member), await report(north, member, monday=MONDAY + timedelta(days=7))
        assert [each.asked + each.answered for each in (first, second)] == [1, 1]
        assert [list(shown(each)) for each in (first, second)] == [[Pattern.FAMILY_NAME], []]
        assert shown(await report(north, member, monday=MONDAY - timedelta(days=7))) == {}


async def test_who_searches_and_never_meets_the_person_is_named_two_weeks_later(north: TestFederation) -> None:
    await search(north, "Katherine Bramley", "1991-05-17")  # a client of the asker's own agency
    await search(north, "Nobody Knownhere", "1970-01-01")
    later = await report(north, ASKER, monday=MONDAY + timedelta(days=TABLE.contact_within_days))
    entries = [entry async for entry in north.nodes[ASKER].parts.ledger.entries()]
    questions = [entry.seq for entry in entries if entry.body is not None and entry.body["kind"] == "asked"]
    assert shown(later) == {Pattern.NO_CONTACT: (questions[1],)}
    assert Pattern.NO_CONTACT not in shown(await report(north, ASKER))


async def test_an_entry_that_a_clock_dated_ahead_ends_no_report(north: TestFederation) -> None:
    ledger = north.nodes[AGENCY].parts.ledger
    right = north.clock.time
    north.clock.time = right + 20 * 86_400
    await ledger.record(99, ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
    north.clock.time = right
    await search(north, "Robin Asker", "1988-02-03")
    assert list(shown(await report(north, AGENCY))) == [Pattern.FAMILY_NAME]


async def test_of_an_erased_person_questions_are_counted_as_unreadable_and_consents_are_not(
    north: TestFederation,
) -> None:
    ledger = north.nodes[AGENCY].parts.ledger
    await ledger.record(99, ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
    await ledger.erase(99)
    assert (await report(north, AGENCY)).unreadable == 0


async def test_an_erased_person_is_counted_as_unreadable(north: TestFederation) -> None:
    await search(north, "Robin Asker", "1988-02-03")
    ledger = north.nodes[AGENCY].parts.ledger
    assert await ledger.erase((await north.ledger(AGENCY))[0]["person_id"])
    erased = await report(north, AGENCY)
    assert (erased.answered, erased.unreadable, erased.items) == (0, 1, ())
    assert any("1 of its questions can no longer be read" in line for line in lines(erased, AGENCY))


async def test_the_command_prints_a_week_and_refuses_what_is_none(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await search(north, "Alex Asker", "1970-01-01")
        for member in (ASKER, AGENCY):
            await north.stop(member)
    said = done(tmp_path, "ledger", "misuse", "--config", f"{ASKER}/node.toml", "--week", WEEK)
    assert "1 asked, 0 answered here" in said
    assert "own-name" in said
    assert "asker-1, asked here: 1 (entries" in said
    assert "Nothing stands out." in done(
        tmp_path, "ledger", "misuse", "--config", f"{AGENCY}/node.toml", "--week", WEEK
    )
    assert "2026-W47" in refused(tmp_path, "ledger", "misuse", "--config", f"{ASKER}/node.toml", "--week", "47")


def test_a_week_is_a_year_and_a_week() -> None:
    assert monday_of("2026-W47") == date(2026, 11, 16)
    for wrong in ("2026-W54", "2026-47", "2026-W4", "W47", "", "\u0662026-W47"):
        with pytest.raises(InputError, match="--week"):
            monday_of(wrong)
    with pytest.raises(ConfigurationError, match="time_zone"):
        habits_of(MisuseTable(time_zone="../../etc/passwd"))
