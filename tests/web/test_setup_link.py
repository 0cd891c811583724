"""The first password: a link that works once, and `patchwork node create-admin`, which prints one."""

import asyncio
import re

import pytest

from gateway.accounts.links import LINK_LASTS_S, new_link
from tests.federation import TestFederation
from tests.flow.commands import Ran, in_process
from tests.web.conftest import HOUSING
from tests.web.invited import PASSWORD, invite, signed_in, with_password

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_setup_link_is_used_once(north: TestFederation) -> None:
    link = await invite(north, HOUSING, "once")
    first, second = north.browser(HOUSING), north.browser(HOUSING)
    page = await second.get(link)
    assert "once" in page.words
    after = await first.post(link, {"new-password": PASSWORD})
    assert (after.path, "Your password is set. Sign in with it now." in after.words) == ("/sign-in", True)
    assert 'value="once"' in after.text  # what they sign in with now
    again = await first.get("/sign-in")
    assert ("Your password is set" in again.words, 'value="once"' in again.text) == (False, False)
    first.cookies.update_cookies({"patchwork-login": "_w"}, first.url)  # nothing that a login could be
    assert (await first.get("/sign-in")).status == 200
    late = await second.post(link, {"new-password": "a password of a thief"}, token=page.token)
    assert (late.status, "cannot be used" in late.words) == (404, True)
    assert (await second.get(link)).status == 404
    assert (await signed_in(first, "once")).path == "/account"


async def test_a_setup_link_runs_out_and_a_new_one_ends_the_one_before(north: TestFederation) -> None:
    link = await invite(north, HOUSING, "too-late")
    north.clock.turn(LINK_LASTS_S - 1)
    assert (await north.browser(HOUSING).get(link)).status == 200
    north.clock.turn(2)
    assert (await north.browser(HOUSING).get(link)).status == 404
    assert (await north.browser(HOUSING).get(f"/set-password/{new_link()}")).status == 404


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("", "Enter a new password"),
        ("short", "12 characters or more"),
        ("x" * 201, "no more than 200"),
        ("aaaabbbbaaaabbbb", "easy to guess"),
        ("wendy smith 12", "easy to guess"),
        ("choosy123choosy", "easy to guess"),
    ],
)
async def test_a_password_that_others_would_guess_is_not_taken(
    north: TestFederation, password: str, expected: str
) -> None:
    login = f"choosy{len(north.browsers)}"
    link = await invite(north, HOUSING, login)
    page = await north.browser(HOUSING).post(link, {"new-password": password.replace("choosy", login)})
    assert (page.status, expected in page.words) == (400, True)
    assert not password or password not in page.text


async def test_somebody_made_at_the_command_line_signs_in_as_administrator(north: TestFederation) -> None:
    made = await create_admin(north, "gerald", "--name", "Gerald Green")
    assert made.code == 0, made.said
    (url,) = made.out.split()
    browser = north.browser(HOUSING)
    link = url.removeprefix(str(browser.url).rstrip("/"))
    await browser.post(link, {"new-password": PASSWORD})
    page = await signed_in(browser, "gerald")
    assert "Gerald Green" in page.words
    assert "look after accounts" in page.words


async def test_an_administrator_who_is_locked_out_gets_a_new_link_and_their_password_stays_until_it_is_used(
    north: TestFederation,
) -> None:
    await create_admin(north, "locked-out", "--name", "Grace Green")
    again = await create_admin(north, "locked-out", "--yes")
    assert "locked-out is an administrator already. A new link takes the place of their sign-in." in again.said
    browser = north.browser(HOUSING)
    link = again.out.strip().removeprefix(str(browser.url).rstrip("/"))
    assert (await browser.post(link, {"new-password": PASSWORD})).path == "/sign-in"
    await create_admin(north, "locked-out", "--yes")
    assert (await signed_in(browser, "locked-out")).path == "/account"


async def test_the_command_line_takes_nobody_else_s_account_over(north: TestFederation) -> None:
    await with_password(north, HOUSING, "practitioner-of-housing")
    refused = await create_admin(north, "practitioner-of-housing", "--yes")
    assert (refused.code != 0, "no administrator" in refused.said) == (True, True)
    assert not re.search("set-password", refused.said)
    nameless = await create_admin(north, "nameless")
    assert (nameless.code != 0, "--name" in nameless.said) == (True, True)


async def test_the_command_line_lists_logins_and_roles_and_nobody_s_name(north: TestFederation) -> None:
    await create_admin(north, "listed-admin", "--name", "Nobody Quillfeather")
    await with_password(north, HOUSING, "listed-practitioner")
    config = str(north.folder / HOUSING / "node.toml")
    ran = await asyncio.to_thread(in_process, "node", "accounts", "--config", config)
    assert ran.code == 0, ran.said
    assert {"listed-admin: administrator", "listed-practitioner: practitioner"} <= set(ran.out.splitlines())
    assert not re.search("Quillfeather|Wendy", ran.said)


async def create_admin(north: TestFederation, *words: str) -> Ran:
    """The command, as its own program beside the running node."""
    return await asyncio.to_thread(
        in_process, "node", "create-admin", "--config", str(north.folder / HOUSING / "node.toml"), *words
    )
