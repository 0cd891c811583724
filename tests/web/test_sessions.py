"""Sessions: they end when they should, wherever somebody is signed in, and cannot be taken from the database."""

import secrets
from base64 import urlsafe_b64decode

import pytest

from gateway.accounts.account import Role
from gateway.accounts.throttle import PER_LOGIN
from gateway.web.prove import FRESH_S
from tests.federation import TestFederation
from tests.web.conftest import HOUSING
from tests.web.invited import PASSWORD, signed_in, with_password
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")

MINUTE, HOUR = 60.0, 3600.0


async def is_signed_in(browser: WebUser) -> bool:
    return (await browser.get("/account")).path == "/account"


async def elsewhere(north: TestFederation, login: str, times: int = 1) -> tuple[WebUser, ...]:
    """Browsers in which the same person is signed in too."""
    browsers = tuple(north.browser(HOUSING) for _ in range(times))
    for browser in browsers:
        assert (await signed_in(browser, login)).path == "/account"
    return browsers


async def test_half_an_hour_without_a_request_signs_out(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    for _ in range(3):
        north.clock.turn(29 * MINUTE)
        assert await is_signed_in(wendy)
    north.clock.turn(31 * MINUTE)
    assert not await is_signed_in(wendy)


async def test_twelve_hours_sign_out_whoever_is_at_it_all_the_time(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    began = north.clock.now()
    while north.clock.now() < began + 11.5 * HOUR:
        north.clock.turn(25 * MINUTE)
        assert await is_signed_in(wendy)
    north.clock.turn(25 * MINUTE)
    assert not await is_signed_in(wendy)


async def test_proving_who_one_is_makes_no_session_longer(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "prover")
    await signed_in(browser, "prover")
    began = north.clock.now()
    while north.clock.now() < began + 11.5 * HOUR:
        north.clock.turn(25 * MINUTE)
        await browser.get("/account")
    page = await browser.post("/sign-in/again", {"password": PASSWORD, "next": "/account"})
    assert page.path == "/account"
    north.clock.turn(25 * MINUTE)
    assert not await is_signed_in(browser)


async def test_proving_who_one_is_changes_the_token(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "renewed")
    await signed_in(browser, "renewed")
    thief = north.browser(HOUSING)
    thief.cookies.update_cookies({each.key: each.value for each in browser.cookies}, thief.url)
    north.clock.turn(FRESH_S + 1)
    await browser.post("/sign-in/again", {"password": PASSWORD, "next": "/account"})
    assert await is_signed_in(browser)
    assert not await is_signed_in(thief)


async def test_who_knows_a_login_cannot_keep_its_owner_from_proving_who_they_are(north: TestFederation) -> None:
    browser = await with_password(north, HOUSING, "hindered")
    await signed_in(browser, "hindered")
    stranger = north.browser(HOUSING)
    for _ in range(PER_LOGIN + 1):
        await stranger.post("/sign-in", {"login": "hindered", "password": "not the password"})
    north.clock.turn(FRESH_S + 1)
    page = await browser.post("/sign-in/again", {"password": PASSWORD, "next": "/account"})
    assert page.path == "/account"


async def test_a_token_that_was_kept_is_worth_nothing_after_signing_out(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    kept = {each.key: each.value for each in wendy.cookies}
    out = await wendy.post("/sign-out", form="/account", follow=False)
    assert out.headers["Clear-Site-Data"] == '"cache"'
    assert not [each for each in wendy.cookies if each.key == "patchwork"]
    wendy.cookies.update_cookies(kept, wendy.url)
    assert not await is_signed_in(wendy)


async def test_somebody_signs_out_one_browser_all_others_or_everywhere(north: TestFederation) -> None:
    here = await with_password(north, HOUSING, "everywhere")
    await signed_in(here, "everywhere")
    first, second, third = await elsewhere(north, "everywhere", 3)
    page = await here.get("/account")
    chosen = page.text.split('name="session" value="')[1].split('"')[0]
    await here.post("/account/sign-out-other", {"session": chosen}, token=page.token)
    assert [await is_signed_in(each) for each in (first, second, third)].count(False) == 1
    await here.post("/account/sign-out-other", token=page.token)
    assert not any([await is_signed_in(each) for each in (first, second, third)])
    assert await is_signed_in(here)
    (other,) = await elsewhere(north, "everywhere")
    await here.post("/sign-out-everywhere", token=page.token)
    assert [await is_signed_in(each) for each in (here, other)] == [False, False]


async def test_nobody_signs_out_others(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    victim = await with_password(north, HOUSING, "victim-of-others")
    await signed_in(victim, "victim-of-others")
    await elsewhere(north, "victim-of-others")
    theirs = (await victim.get("/account")).text.split('name="session" value="')[1].split('"')[0]
    for chosen in (theirs, secrets.token_hex(16), "x' OR 1=1"):
        page = await wendy.post("/account/sign-out-other", {"session": chosen}, form="/account")
        assert page.status == 404
    assert await is_signed_in(victim)


async def test_a_new_password_needs_the_old_one_and_signs_out_everywhere_else(north: TestFederation) -> None:
    here = await with_password(north, HOUSING, "changer")
    await signed_in(here, "changer")
    (other,) = await elsewhere(north, "changer")
    new = "another battery of horses"
    page = await here.post("/account/password", {"password": "wrong", "new-password": new})
    assert (page.status, "This is not your password" in page.words) == (400, True)
    assert await is_signed_in(other)
    page = await here.post("/account/password", {"password": PASSWORD, "new-password": new})
    assert page.path == "/account"
    assert [await is_signed_in(each) for each in (here, other)] == [True, False]
    assert (await signed_in(other, "changer", PASSWORD)).status == 401
    assert (await signed_in(other, "changer", new)).path == "/account"


async def test_a_copy_of_the_database_signs_nobody_in(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    text = next(each.value for each in wendy.cookies if each.key == "patchwork")
    token = urlsafe_b64decode(text + "=")
    files = list((north.folder / HOUSING / "data").glob("web.db*"))
    assert files
    assert not [file.name for file in files if token in file.read_bytes() or text.encode() in file.read_bytes()]


async def test_a_request_that_an_htmx_element_makes_without_a_session_sends_the_whole_page_to_sign_in(
    north: TestFederation,
) -> None:
    page = await north.browser(HOUSING).get("/account", headers={"HX-Request": "true"})
    assert (page.status, page.headers["HX-Redirect"], page.text) == (204, "/sign-in", "")
