"""Signing in: nobody learns who has an account, guesses for long, or puts a session or a goal of theirs on others."""

import time

import pytest

from gateway.accounts.sessions import new_token
from gateway.accounts.throttle import PER_LOGIN, WINDOW_S
from gateway.web import sign_in
from tests.federation import TestFederation
from tests.web.conftest import HOUSING
from tests.web.invited import PASSWORD, signed_in, with_password
from tests.web_user import Shown, WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def later(north: TestFederation) -> None:
    """Each test begins when the tries of the one before no longer count."""
    north.clock.turn(WINDOW_S + 1)


def cookie(browser: WebUser, name: str = "patchwork") -> str:
    return next((each.value for each in browser.cookies if each.key == name), "")


def said(page: Shown, *, login: str) -> tuple[int, str]:
    """What somebody sees, without what they typed themselves."""
    return page.status, page.text.split("<main")[1].split("</main>")[0].replace(page.token, "").replace(login, "")


async def test_whoever_has_set_a_password_signs_in_with_it_and_lands_where_they_wanted(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "wendy@example.org")
    assert (await browser.get("/account")).path == "/sign-in"
    page = await signed_in(browser, " Wendy@Example.org ", back="/account")
    assert (page.path, "Wendy Smith" in page.words) == ("/account", True)


async def test_a_login_that_does_not_exist_looks_like_a_wrong_password(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "real")
    wrong = await signed_in(browser, "real", "not the password")
    unknown = await signed_in(browser, "nobody", "not the password")
    assert wrong.status == 401
    assert said(wrong, login="real") == said(unknown, login="nobody")


async def test_a_login_that_does_not_exist_takes_as_long_as_a_wrong_password(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "timed")

    async def fastest(login: str) -> float:
        token = (await browser.get("/sign-in")).token
        times = []
        for _ in range(3):
            began = time.perf_counter()
            await browser.post("/sign-in", {"login": login, "password": "wrong"}, token=token)
            times.append(time.perf_counter() - began)
        return min(times)

    # A missing hash would make the unknown one some ten times faster.
    known, unknown = await fastest("timed"), await fastest("not-timed")
    assert 0.25 < unknown / known < 4


@pytest.mark.parametrize("login", ["guessed", "not-guessed"])
async def test_after_too_many_tries_not_even_the_right_password_is_looked_at_for_a_quarter_of_an_hour(
    north: TestFederation, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "PER_LOGIN", 3)
    browser = await with_password(north, HOUSING, "guessed") if login == "guessed" else north.browser(HOUSING)
    token = (await browser.get("/sign-in")).token
    for _ in range(3):
        page = await browser.post("/sign-in", {"login": login, "password": "wrong"}, token=token)
        assert page.status == 401
    page = await signed_in(browser, login)
    assert (page.status, "Too many tries" in page.words) == (429, True)
    await north.stop(HOUSING)
    await north.start(HOUSING)  # a restart forgives nothing
    assert (await signed_in(browser, login)).status == 429
    north.clock.turn(WINDOW_S + 1)
    assert (await signed_in(browser, login)).status == (200 if login == "guessed" else 401)


async def test_signing_in_oneself_gives_no_more_tries_at_others(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "PER_ADDRESS", 3)
    browser = await with_password(north, HOUSING, "insider")
    token = (await browser.get("/sign-in")).token
    for number in range(2):
        await browser.post("/sign-in", {"login": f"other-{number}", "password": "wrong"}, token=token)
    assert (await signed_in(browser, "insider")).status == 200
    outsider = north.browser(HOUSING)
    assert (await signed_in(outsider, "last", "wrong")).status == 401
    assert (await signed_in(outsider, "one-too-many", "wrong")).status == 429


def let_browsers_say_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "address_of", lambda request, _table: request.headers.get("X-From", "elsewhere"))


async def test_who_knows_a_login_does_not_keep_its_owner_out_who_is_elsewhere(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_browsers_say_where_they_are(monkeypatch)
    owner = await with_password(north, HOUSING, "known-to-strangers")
    stranger = north.browser(HOUSING)
    token = (await stranger.get("/sign-in")).token
    fields = {"login": "known-to-strangers", "password": "wrong"}
    pages = [
        await stranger.post("/sign-in", fields, token=token, headers={"X-From": "a hotel"})
        for _ in range(PER_LOGIN + 1)
    ]
    assert [pages[-2].status, pages[-1].status] == [401, 429]
    assert (await signed_in(owner, "known-to-strangers")).path == "/account"


async def test_many_addresses_together_have_no_more_than_fifty_tries_at_a_login_even_if_its_owner_signs_in(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_browsers_say_where_they_are(monkeypatch)
    monkeypatch.setattr(sign_in, "PER_LOGIN_ANYWHERE", 4)
    owner = await with_password(north, HOUSING, "tried-from-everywhere")
    stranger = north.browser(HOUSING)
    token = (await stranger.get("/sign-in")).token

    async def tried(number: int) -> int:
        fields = {"login": "tried-from-everywhere", "password": "wrong"}
        headers = {"X-From": f"hotel {number}"}
        return (await stranger.post("/sign-in", fields, token=token, headers=headers)).status

    assert [await tried(number) for number in range(3)] == [401] * 3
    assert (await signed_in(owner, "tried-from-everywhere")).path == "/account"  # forgives their own tries alone
    assert [await tried(number) for number in (3, 4)] == [401, 429]


async def test_a_session_that_was_there_before_never_becomes_a_signed_in_one(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "fixed")
    planted = WebUser(str(browser.url))
    north.browsers.append(planted)
    known = new_token().hex()[:43]
    browser.cookies.update_cookies({"patchwork": known}, browser.url)
    before = cookie(browser)
    await signed_in(browser, "fixed")
    first = cookie(browser)
    assert before == known
    assert first not in {"", before}
    planted.cookies.update_cookies({"patchwork": known}, planted.url)
    assert (await planted.get("/account")).path == "/sign-in"
    # Signing in again in the same browser: a new token, and the old one is worth nothing.
    await signed_in(browser, "fixed", back="/account")
    planted.cookies.update_cookies({"patchwork": first}, planted.url)
    assert (await planted.get("/account")).path == "/sign-in"


async def test_a_form_of_another_site_signs_nobody_in(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "victim")
    attacker = north.browser(HOUSING)
    theirs = (await attacker.get("/sign-in")).token
    fields = {"login": "victim", "password": PASSWORD}
    assert (await browser.post("/sign-in", fields, token=theirs)).status == 403
    own = (await browser.get("/sign-in")).token
    assert (await browser.post("/sign-in", fields, token=own, headers={"Origin": "https://evil.example"})).status == 403
    assert (await browser.post("/sign-in", fields, token=own, headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    blank = north.browser(HOUSING)  # a browser that has never been here sends no cookie at all
    for token in ("", "x", theirs):
        assert (await blank.post("/sign-in", fields, token=token)).status == 403
    assert [cookie(each) for each in (browser, blank)] == ["", ""]


@pytest.mark.parametrize(
    "goal",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/account\r\nSet-Cookie: a=b",
        "account",
        "",
    ],
)
async def test_after_signing_in_nobody_is_sent_to_another_site(north: TestFederation, goal: str) -> None:
    login = f"goal-{abs(hash(goal))}"
    browser = await with_password(north, HOUSING, login)
    page = await signed_in(browser, login, back=goal, follow=False)
    assert (page.status, page.headers["Location"]) == (303, "/")
    shown = await browser.get("/sign-in?next=https://evil.example/", follow=False)
    assert shown.headers["Location"] == "/"
