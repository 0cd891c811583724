"""The demonstration's one-click sign-in: as each role, on a demonstration alone, and as nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.accounts.personas import PERSONAS
from gateway.database.contract import Statement, Work
from gateway.web.prove import FRESH_S
from tests.federation import TestFederation, federation, someone
from tests.web.conftest import HOUSING
from tests.web_user import Shown, WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEMO = "/demo"
BANNER = "everybody here is invented"
CLIENTS = (("Katherine", "Bramley"), ("Owen", "Pritchard"), ("Priya", "Nandakumar"), ("Tomasz", "Nowak"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def show(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """A demonstration, started once before its register was filled and once after."""
    folder = tmp_path_factory.mktemp("show")
    async with federation(folder, [HOUSING], web=True, web_options="demo = true") as running:
        for number, (given, family) in enumerate(CLIENTS):
            client = someone(given, family, "1991-05-17", key=f"p{number}")
            involved = [item for item in client if type(item).__name__ == "Involvement"]
            await running.add(HOUSING, *client, *(_with_robin(each) for each in involved))
        await running.stop(HOUSING)
        await running.start(HOUSING)
        yield running


def _with_robin(involvement: Any) -> Any:
    """The same work, by the first client's worker too."""
    return type(involvement)(
        key=f"{involvement.key}-robin",
        person_key=involvement.person_key,
        practitioner_key="w-p0",
        service_key=involvement.service_key,
        role=involvement.role,
        start=involvement.start,
    )


async def test_whoever_has_typed_a_login_finds_the_password_before_the_buttons(show: TestFederation) -> None:
    browser = show.browser(HOUSING)
    places = [(await browser.get("/sign-in")).text.index(each) for each in ('id="password"', "Sign in as")]
    assert places[0] > places[1]
    typed = await browser.post("/sign-in", {"login": "wendy", "password": "wrong"})
    assert typed.text.index('id="password"') < typed.text.index("Sign in as")


async def become(browser: WebUser, login: str, *, back: str = "/account", follow: bool = True) -> Shown:
    return await browser.post(DEMO, {"login": login, "next": back}, follow=follow)


def all_rows(sql: str) -> Work[list[tuple[Any, ...]]]:
    return (yield Statement(sql))


async def test_a_node_that_is_no_demonstration_has_no_such_page(north: TestFederation) -> None:
    stranger = north.browser(HOUSING)
    page = await stranger.get("/sign-in")
    for text in (DEMO, BANNER, "need no password"):
        assert text not in page.text
    assert (await stranger.get(DEMO)).status == 404
    signed_in = await north.sign_in(HOUSING, Role.PRACTITIONER, login=PERSONAS[0].login)
    token = (await signed_in.get("/account")).token
    for path in (DEMO, f"{DEMO}/again"):
        assert (await stranger.post(path, {"login": PERSONAS[0].login}, token=page.token)).status == 404
        assert (await signed_in.post(path, {"login": PERSONAS[0].login}, token=token)).status == 404
    assert (await stranger.get("/account")).path == "/sign-in"


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.login)
async def test_one_click_signs_in_as_each(show: TestFederation, persona: Any) -> None:
    browser = show.browser(HOUSING)
    for path in (DEMO, "/sign-in"):
        assert f'value="{persona.login}"' in (await browser.get(path)).text
    page = await become(browser, persona.login)
    assert (page.path, persona.login in page.words) == ("/account", True)
    where = "/clients" if persona.role is Role.PRACTITIONER else "/manage"
    assert (await browser.get(where)).status == 200
    rows = await show.pages[HOUSING].site.database.read(all_rows("SELECT DISTINCT method FROM session"))
    assert rows == [("mfa",)]


async def test_a_practitioner_is_one_of_the_register_with_several_clients(show: TestFederation) -> None:
    browser = show.browser(HOUSING)
    assert (await become(browser, "demo-practitioner", back="/clients")).path == "/clients"
    page = await browser.get("/clients")
    assert all(family in page.words for _, family in CLIENTS)


async def test_starting_again_makes_nobody_twice(show: TestFederation) -> None:
    sql = "SELECT a.login, w.key FROM account a LEFT JOIN account_worker w ON w.account_id = a.id ORDER BY 1, 2"
    before = await show.pages[HOUSING].site.database.read(all_rows(sql))
    changes = await show.pages[HOUSING].site.database.read(all_rows("SELECT count(*) FROM account_change"))
    await restart(show)
    assert await show.pages[HOUSING].site.database.read(all_rows(sql)) == before
    assert await show.pages[HOUSING].site.database.read(all_rows("SELECT count(*) FROM account_change")) == changes
    assert len(before) == len(PERSONAS)


async def test_a_form_without_its_token_signs_nobody_in(show: TestFederation) -> None:
    browser, other = show.browser(HOUSING), show.browser(HOUSING)
    theirs = (await other.get(DEMO)).token
    await browser.get(DEMO)
    for token in ("", "x", theirs):
        assert (await browser.post(DEMO, {"login": "demo-administrator"}, token=token)).status == 403
    own = (await browser.get(DEMO)).token
    page = await browser.post(DEMO, {"login": "demo-auditor"}, token=own, headers={"Origin": "https://evil.example"})
    assert page.status == 403
    assert (await browser.get("/account")).path == "/sign-in"


async def test_nobody_else_is_signed_in_so(show: TestFederation) -> None:
    real = await show.sign_in(HOUSING, Role.ADMINISTRATOR, login="real")
    browser = show.browser(HOUSING)
    for login in ("real", "", "DEMO-AUDITOR", "demo-auditor' --"):
        assert (await become(browser, login)).status == 400
    assert (await browser.get("/account")).path == "/sign-in"
    show.clock.turn(FRESH_S + 1)
    assert (await real.post("/demo/again", {"next": "/account"}, form="/account")).status == 403


async def test_becoming_another_ends_the_session_before_and_leads_to_no_other_site(show: TestFederation) -> None:
    browser = show.browser(HOUSING)
    await become(browser, "demo-manager")
    kept = {each.key: each.value for each in browser.cookies}
    page = await become(browser, "demo-auditor", back="//evil.example", follow=False)
    assert page.headers["Location"] == "/"
    assert "demo-auditor" in (await browser.get("/account")).words
    browser.cookies.update_cookies(kept, browser.url)
    assert (await browser.get("/account")).path == "/sign-in"


async def test_where_others_enter_their_password_one_click_is_enough(show: TestFederation) -> None:
    browser = show.browser(HOUSING)
    await become(browser, "demo-administrator")
    show.clock.turn(FRESH_S + 1)
    page = await browser.get("/manage/accounts/add")
    assert page.path == "/sign-in/again"
    assert 'name="password"' not in page.text
    page = await browser.post("/demo/again", {"next": "/manage/accounts/add"}, token=page.token)
    assert (page.path, page.status) == ("/manage/accounts/add", 200)


async def test_who_was_disabled_is_not_offered(show: TestFederation) -> None:
    ada = show.browser(HOUSING)
    await become(ada, "demo-administrator")
    sql = "SELECT public_id FROM account WHERE login = 'demo-manager'"
    ((manager,),) = await show.pages[HOUSING].site.database.read(all_rows(sql))
    path = f"/manage/accounts/{manager}"
    await ada.post(f"{path}/disable", form=path)
    visitor = show.browser(HOUSING)
    assert "demo-manager" not in (await visitor.get(DEMO)).text
    assert (await become(visitor, "demo-manager")).status == 400
    await restart(show)
    assert "demo-manager" not in (await show.browser(HOUSING).get(DEMO)).text
    await ada.post(f"{path}/enable", form=path)


async def test_nobody_goes_on_as_one_of_them_when_the_demonstration_is_over(show: TestFederation) -> None:
    browser = show.browser(HOUSING)
    await become(browser, "demo-administrator")
    real = await show.sign_in(HOUSING, Role.PRACTITIONER, login="stays")
    config = show.folder / HOUSING / "node.toml"
    text = config.read_text()
    config.write_text(text.replace("demo = true", "demo = false"))
    await restart(show)
    assert (await browser.get("/account")).path == "/sign-in"
    assert (await browser.get(DEMO)).status == 404
    assert (await real.get("/account")).path == "/account"
    config.write_text(text)
    await restart(show)
    assert (await become(browser, "demo-administrator")).path == "/account"


async def restart(show: TestFederation) -> None:
    await show.stop(HOUSING)
    await show.start(HOUSING)


async def test_every_page_says_that_all_is_invented(show: TestFederation) -> None:
    browser = show.browser(HOUSING)
    assert BANNER in (await browser.get("/sign-in")).words
    await become(browser, "demo-auditor")
    for path, status in (("/account", 200), ("/clients", 403), ("/nowhere", 404), (DEMO, 200), ("/manage", 200)):
        page = await browser.get(path)
        assert (page.status, BANNER in page.words) == (status, True)
