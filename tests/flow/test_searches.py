"""Searches of the pages, before any page: they run to their end, are seen by their session alone, and then are gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.errors import InputError, TooManyRequests
from gateway.node.agreements import NobodyToAsk
from gateway.node.question import Question
from gateway.node.results import MemberOutcome
from gateway.web import searches as module
from gateway.web.result_view import State, agency_lines, summary, team_groups
from gateway.web.searches import MAX_KEPT_EACH, MAX_RUNNING_EACH, Search, Searches
from mappings.vocabulary import Purpose
from tests.federation import FIVE, TestFederation, federation, someone

ASKER, FOUND, HANGING, DEAD, EMPTY = "childrens-services", "housing", "police", "community-trust", "food-bank"
ME, OTHER = "my-session", "other-session"


@asynccontextmanager
async def troubled(folder: Path) -> AsyncIterator[TestFederation]:
    """One agency knows Kate, one hangs, one is dead, and one has nothing."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with federation(folder, FIVE) as north:
        await north.add(FOUND, *someone("Katherine", "Bramley", "1991-05-17", lead=True))
        await north.stop(HANGING)
        await north.stop(DEAD)
        async with await asyncio.start_server(hang, "127.0.0.1", north.ports[HANGING]):
            yield north


def about_kate(north: TestFederation, *, deadline_ms: int = 700) -> Question:
    return north.question(ASKER, "Kate Bramley", born="1991-05-17", deadline_ms=deadline_ms)


async def received_by(north: TestFederation) -> int:
    """How many answers to its questions the asker has put on record."""
    entries = [entry async for entry in north.nodes[ASKER].parts.ledger.entries()]
    return sum(entry.body is not None and entry.body["kind"] == "received" for entry in entries)


async def ended(search: Search) -> None:
    while not search.over:
        await search.beyond(len(search.results), within_s=5)


async def test_answers_are_there_as_they_come_and_then_who_was_not_heard(tmp_path: Path) -> None:
    async with troubled(tmp_path) as north:
        searches = Searches(north.nodes[ASKER].parts)
        search = await searches.start(about_kate(north), owner=ME)
        assert search.asked is not None
        await search.beyond(0, within_s=5)
        early = agency_lines(search.asked, search.results, over=search.over)
        assert [line.name for line in early] == ["Community Trust", "Food Bank", "Housing", "Police"]
        assert early[3].state is State.WAITING
        assert not search.over

        await ended(search)
        lines = agency_lines(search.asked, search.results, over=search.over)
        assert [line.number for line in lines] == [line.number for line in early]
        assert [(line.name, line.state) for line in lines] == [
            ("Community Trust", State.SILENT),
            ("Food Bank", State.NOTHING),
            ("Housing", State.FOUND),
            ("Police", State.SILENT),
        ]
        assert {line.said for line in lines} == {
            "could not be reached",
            "has nothing to share",
            "works with this person",
            "did not answer in time",
        }
        assert [[duty.href for duty in line.duty] for line in lines] == [
            ["tel:01632960000"],
            [],
            [],
            ["tel:01632960000"],
        ]
        (group,) = team_groups(enumerate(search.results))
        assert [person.row.professional for team in group.teams for person in team.people] == ["Robin Worker"]
        counted = summary(search.asked, search.results, over=search.over)
        assert (counted.asked, counted.answered, counted.silent, counted.waiting, counted.found) == (4, 2, 2, 0, 1)
        assert not any(result.answer or result.bundle for result in search.results)
        await searches.close()


async def test_whoever_leaves_the_page_still_has_the_answers_on_record(tmp_path: Path) -> None:
    async with troubled(tmp_path) as north:
        searches = Searches(north.nodes[ASKER].parts)
        leaving = asyncio.create_task(searches.start(about_kate(north), owner=ME))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert leaving.cancelled()
        staying = await searches.start(about_kate(north), owner=ME)
        searches.forget(ME)  # signed out while answers are still to come
        assert searches.get(staying.id, ME) is None
        await searches.close()  # the node stops
        assert await received_by(north) == 2
        assert {result.outcome for result in staying.results} >= {MemberOutcome.TEAMS, MemberOutcome.TIMEOUT}
        with pytest.raises(TooManyRequests):
            await searches.start(about_kate(north), owner=ME)


async def test_a_search_is_seen_by_its_session_until_its_answers_may_no_longer_be_shown(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, FOUND]) as north:
        await north.add(FOUND, *someone("Katherine", "Bramley", "1991-05-17"))
        searches = Searches(north.nodes[ASKER].parts)
        search = await searches.start(about_kate(north), owner=ME)
        await ended(search)
        assert searches.get(search.id, ME) is search
        assert searches.get(search.id, OTHER) is None
        assert searches.get("", ME) is None
        (result,) = search.results
        assert result.display_until is not None
        north.clock.turn(result.display_until - north.clock.now())
        kept = searches.get(search.id, ME)
        assert kept is None or (kept.results[0].rows == () and kept.expired == {FOUND})
        assert search.results[0].rows == ()
        north.clock.turn(86_400)
        assert searches.get(search.id, ME) is None
        await searches.close()


async def test_a_refusal_comes_before_anything_is_asked(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, FOUND]) as north:
        searches = Searches(north.nodes[ASKER].parts)
        nobody = north.question(ASKER, "Kate Bramley", purpose=Purpose.TREATMENT)
        with pytest.raises(NobodyToAsk):
            await searches.start(nobody, owner=ME)
        await north.hub.close()
        search = await searches.start(about_kate(north), owner=ME)
        await ended(search)
        assert (search.broken, search.completed) == ("hub", False)
        assert isinstance(search.error, Exception)
        assert not isinstance(search.error, InputError)
        await searches.close()
        await north.restart_hub()


async def test_searches_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with federation(tmp_path, [ASKER, FOUND], delay_ms=150) as north:
        searches = Searches(north.nodes[ASKER].parts)
        mine = [await searches.start(about_kate(north), owner=ME) for _ in range(MAX_RUNNING_EACH)]
        with pytest.raises(TooManyRequests):
            await searches.start(about_kate(north), owner=ME)
        other = await searches.start(about_kate(north), owner=OTHER)
        monkeypatch.setattr(module, "MAX_RUNNING", 4)
        with pytest.raises(TooManyRequests):
            await searches.start(about_kate(north), owner="third-session")
        for search in (*mine, other):
            await ended(search)
        for _ in range(MAX_KEPT_EACH):
            await ended(await searches.start(about_kate(north), owner=ME))
        assert searches.get(mine[0].id, ME) is None
        assert searches.get(other.id, OTHER) is other
        await searches.close()
