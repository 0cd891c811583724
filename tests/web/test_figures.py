"""Figures: counted when a search is over, by week, without anybody's name; small numbers are not shown or exported."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.database.contract import Row, Statement, Work
from tests.federation import TestFederation, federation, someone
from tests.web_user import Shown, WebUser

HOUSING, TRUST = "housing", "community-trust"
PAGE = "/manage/figures"
EXPORT = f"{PAGE}/export"
KATE = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991", "reason": "COC:public-task"}
NOBODY = KATE | {"name": "Nora Nobody", "born-year": "1950"}
WEEK_S = 7 * 86_400

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(
        tmp_path_factory.mktemp("north"), [HOUSING, TRUST], web=True, web_options="small_numbers = 3"
    ) as running:
        await running.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


def all_of(table: str) -> Work[list[Row]]:
    rows = yield Statement(f"SELECT * FROM {table}")  # noqa: S608 - a name of this file
    return rows


async def search(north: TestFederation, who: WebUser, what: Mapping[str, str]) -> Shown:
    """Ask, and wait until it is counted."""
    site = north.pages[HOUSING].site
    before = site.coverage.searches
    page = await who.post("/search", what)
    async with asyncio.timeout(5):
        while site.coverage.searches == before or site.searches._tasks:  # noqa: ASYNC110 - counted after it is shown
            await asyncio.sleep(0.01)
    return page


async def exported(who: WebUser, query: str = "") -> list[dict[str, str]]:
    page = await who.get(f"{EXPORT}{query}")
    assert page.status == 200, page.words
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"].startswith("attachment;")
    return list(csv.DictReader(io.StringIO(page.text.removeprefix("\ufeff"))))


async def next_week(north: TestFederation) -> None:
    north.clock.turn(WEEK_S)
    await north.publish()
    await north.refresh()


async def fresh(north: TestFederation, *roles: Role) -> WebUser:
    return await north.sign_in(HOUSING, *roles)


async def test_figures_are_of_finished_weeks_and_withhold_what_is_small(north: TestFederation) -> None:
    manager = await fresh(north, Role.MANAGER)
    assert "Nothing has been counted in a week that is over" in (await manager.get(PAGE)).words
    people = [await fresh(north, Role.PRACTITIONER) for _ in range(4)]
    people[3] = await fresh(north, Role.PRACTITIONER, Role.MANAGER)
    for who in people:
        await search(north, who, KATE)
        page = await search(north, who, KATE)
        await who.post(f"{page.path}/reach/0-0", {"reached": "yes", "kind": "phone"}, form=f"{page.path}/reach/0-0")
    await search(north, people[0], NOBODY)
    assert "Nothing has been counted in a week that is over" in (await manager.get(PAGE)).words

    await next_week(north)
    page = await (await fresh(north, Role.AUDITOR)).get(PAGE)
    assert "21 September 2026 9 not shown 4" in page.words  # 1 found nobody, so how many did is not shown either
    assert "Yes 4 No 0 Not yet 0" in page.words or "Yes not shown" in page.words
    assert '<rect class="pw-chart__bar" x="132" y="4" width="160.0"' in page.text
    lines = {(line["figure"], line["part"]): line for line in await exported(await fresh(north, Role.MANAGER))}
    assert lines["searches", ""]["count"] == "9"
    assert lines["people", ""]["count"] == "4"
    assert lines["found", ""] == lines["found", ""] | {"count": "", "withheld": "yes"}
    assert [lines["teams", part]["count"] for part in ("none", "one", "more")].count("") >= 2
    assert lines["answered", "all"]["count"] == "9"
    assert (lines["searches-by", "manager"]["count"], lines["searches-by", "other"]["count"]) == ("", "")


async def test_the_last_word_on_a_call_counts_once(north: TestFederation) -> None:
    who = await fresh(north, Role.PRACTITIONER)
    page = await search(north, who, KATE)
    before = dict(_by_name(await north.pages[HOUSING].site.database.read(all_of("figure"))))
    followed = await who.post(
        f"{page.path}/reach/0-0", {"kind": "phone"}, form=page.path, headers={"HX-Request": "true"}
    )
    path = followed.text.partition('action="')[2].partition('"')[0]
    for said in ("not-yet", "no", "yes", "yes"):
        north.clock.turn(400)
        assert (await who.post(path, {"reached": said}, token=followed.token)).status == 200
    after = dict(_by_name(await north.pages[HOUSING].site.database.read(all_of("figure"))))
    grown = {name: after.get(name, 0) - before.get(name, 0) for name in after}
    assert {name: count for name, count in grown.items() if count} == {"reached-yes": 1, "contact-5-minutes": 1}


def _by_name(rows: list[Row]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for _day, name, _role, count in rows:
        counts[name] = counts.get(name, 0) + count
    return list(counts.items())


async def test_a_day_only_marks_weeks_as_before_or_after_and_gives_no_other_number(north: TestFederation) -> None:
    await next_week(north)
    officer = await fresh(north, Role.GOVERNANCE)
    plain = await exported(officer)
    assert {line["side"] for line in plain} == {""}
    sides: dict[str, set[str]] = {}
    for day in range(19, 31):
        marked = await exported(officer, f"?changed-day={day}&changed-month=9&changed-year=2026")
        assert [line | {"side": ""} for line in marked] == plain
        for line in marked:
            sides.setdefault(line["week_begins"], set()).add(line["side"])
    assert sides["2026-09-21"] == {"before", "during", "after"}
    wrong = await officer.get(f"{EXPORT}?changed-day=31&changed-month=2&changed-year=2026")
    assert (wrong.status, "Enter a real date" in wrong.words) == (400, True)
    hostile = await officer.get(f"{EXPORT}?changed-day=%3Cscript%3Ealert(1)")
    assert (hostile.status, "<script>alert" in hostile.text) == (400, False)


async def test_figures_hold_nobody_and_open_for_those_who_evaluate(north: TestFederation) -> None:
    database = north.pages[HOUSING].site.database
    rows = await database.read(all_of("figure"))
    assert {type(value) for row in rows for value in row} == {str, int}
    accounts = await database.read(all_of("account"))
    said = {str(value) for row in rows for value in row}
    assert not said & {str(value) for account in accounts for value in account[1:6]}
    assert not any(len(name) > 20 for _day, name, role, _count in rows for name in (name, role))
    for role in Role:
        who = await fresh(north, role)
        status = 403 if role is Role.PRACTITIONER else 200
        assert [(await who.get(path)).status for path in (PAGE, EXPORT)] == [status, status]
        assert ("Figures" in (await who.get("/manage")).words) == (role is not Role.PRACTITIONER)


async def test_a_search_whose_count_cannot_be_written_is_shown_all_the_same(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await fresh(north, Role.PRACTITIONER)
    site = north.pages[HOUSING].site

    def broken(*_: object) -> Work[None]:
        yield Statement("INSERT INTO figure VALUES (NULL, NULL, NULL, NULL)")

    monkeypatch.setattr("gateway.web.counting.count_search", broken)
    before = len(await site.database.read(all_of("figure")))
    page = await search(north, who, KATE)
    assert "Robin Worker" in page.words
    assert len(await site.database.read(all_of("figure"))) == before
