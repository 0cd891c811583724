"""A second factor: the password alone shows nothing, a code counts once, and guessing ends soon."""

import re
from base64 import b32decode
from html import unescape

import pytest

from gateway.accounts.throttle import PER_CODE, WINDOW_S
from gateway.web.prove import FRESH_S
from tests.federation import TestFederation
from tests.web.conftest import HOUSING
from tests.web.invited import PASSWORD, code_now, signed_in, with_password
from tests.web_user import Shown, WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def later(north: TestFederation) -> None:
    """Each test begins when the tries of the one before no longer count."""
    north.clock.turn(WINDOW_S + 1)


def offered(page: Shown) -> tuple[bytes, str]:
    """The key that the page shows to be typed into an app, and its sealed copy in the form."""
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    sealed = re.search(r'name="secret" value="([^"]+)"', page.text)
    assert key
    assert sealed
    assert "<svg" in page.text
    return b32decode(key[1].replace(" ", "")), unescape(sealed[1])


async def enrolled(north: TestFederation, login: str) -> tuple[WebUser, bytes]:
    """Somebody signed in who has turned the second factor on, a while ago."""
    browser = await with_password(north, HOUSING, login)
    await signed_in(browser, login)
    page = await browser.get("/account/second-factor")
    secret, sealed = offered(page)
    fields = {"secret": sealed, "code": code_now(north, secret)}
    page = await browser.post("/account/second-factor", fields, token=page.token)
    assert page.path == "/account", page.words
    north.clock.turn(60)
    return browser, secret


async def test_with_a_second_factor_the_password_alone_shows_nothing(north: TestFederation) -> None:
    _, secret = await enrolled(north, "two-steps")
    browser = north.browser(HOUSING)
    page = await signed_in(browser, "two-steps", back="/account")
    assert (page.path, "Wendy Smith" in page.words) == ("/sign-in/code", False)
    assert (await browser.get("/account")).path == "/sign-in"
    fields = {"code": code_now(north, secret), "next": "/account"}
    page = await browser.post("/sign-in/code", fields)
    assert (page.path, "Wendy Smith" in page.words) == ("/account", True)


async def test_the_half_way_token_is_worth_nothing_after_the_code(north: TestFederation) -> None:
    _, secret = await enrolled(north, "half-way")
    browser, thief = north.browser(HOUSING), north.browser(HOUSING)
    await signed_in(browser, "half-way")
    thief.cookies.update_cookies({each.key: each.value for each in browser.cookies}, thief.url)
    await browser.post("/sign-in/code", {"code": code_now(north, secret)})
    assert (await browser.get("/account")).path == "/account"
    assert (await thief.get("/account")).path == "/sign-in"
    assert (await thief.get("/sign-in/code")).path == "/sign-in"


async def test_a_code_counts_once(north: TestFederation) -> None:
    _, secret = await enrolled(north, "replayed")
    first, second = north.browser(HOUSING), north.browser(HOUSING)
    code = code_now(north, secret)
    for browser in (first, second):
        await signed_in(browser, "replayed")
    assert (await first.post("/sign-in/code", {"code": code})).path == "/account"
    page = await second.post("/sign-in/code", {"code": code})
    assert (page.status, "has been used" in page.words) == (401, True)


async def test_who_has_the_password_cannot_go_on_guessing_codes(north: TestFederation) -> None:
    _, secret = await enrolled(north, "guessed-code")
    browser = north.browser(HOUSING)
    await signed_in(browser, "guessed-code")
    wrong = f"{(int(code_now(north, secret)) + 1) % 10**6:06d}"
    for _ in range(PER_CODE):
        assert (await browser.post("/sign-in/code", {"code": wrong})).status == 401
    fresh = north.browser(HOUSING)  # a new browser and the password again give no more tries
    await signed_in(fresh, "guessed-code")
    page = await fresh.post("/sign-in/code", {"code": code_now(north, secret)})
    assert (page.status, "Wait 15 minutes" in page.words) == (401, True)


async def test_half_way_ends_after_five_minutes(north: TestFederation) -> None:
    _, secret = await enrolled(north, "slow")
    browser = north.browser(HOUSING)
    await signed_in(browser, "slow")
    token = (await browser.get("/sign-in/code")).token
    north.clock.turn(301)
    page = await browser.post("/sign-in/code", {"code": code_now(north, secret)}, token=token)
    assert page.path == "/sign-in"


async def test_a_second_factor_is_turned_on_or_off_only_by_somebody_who_has_just_proved_who_they_are(
    north: TestFederation,
) -> None:
    browser, secret = await enrolled(north, "unlocked")
    north.clock.turn(FRESH_S + 1)
    page = await browser.get("/account/second-factor")
    assert page.path == "/sign-in/again"
    page = await browser.post("/account/second-factor/off", token=page.token)
    assert page.path == "/sign-in/again"  # not by the form alone either
    back = {"next": "/account/second-factor"}
    wrong = await browser.post("/sign-in/again", back | {"password": "wrong", "code": "000000"}, token=page.token)
    assert (wrong.status, "This is not your password" in wrong.words) == (401, True)
    without = await browser.post("/sign-in/again", back | {"password": PASSWORD}, token=page.token)
    assert without.status == 401
    proof = back | {"password": PASSWORD, "code": code_now(north, secret)}
    page = await browser.post("/sign-in/again", proof, token=page.token)
    assert (page.path, "This is on" in page.words) == ("/account/second-factor", True)
    page = await browser.post("/account/second-factor/off", token=page.token)
    assert page.path == "/account"
    other = north.browser(HOUSING)
    assert (await signed_in(other, "unlocked")).path == "/account"


async def test_a_secret_that_another_session_was_offered_is_not_taken(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "offered")
    await signed_in(browser, "offered")
    thief = await with_password(north, HOUSING, "offering")
    await signed_in(thief, "offering")
    secret, sealed = offered(await thief.get("/account/second-factor"))
    fields = {"secret": sealed, "code": code_now(north, secret)}
    page = await browser.post("/account/second-factor", fields)
    assert page.path == "/account/second-factor"
    assert (await signed_in(north.browser(HOUSING), "offered")).path == "/account"  # no code was asked for


async def test_secrets_of_apps_are_in_no_database_file(north: TestFederation) -> None:
    _, secret = await enrolled(north, "sealed")
    files = list((north.folder / HOUSING / "data").glob("web.db*"))
    assert files
    assert not [file.name for file in files if secret in file.read_bytes()]
