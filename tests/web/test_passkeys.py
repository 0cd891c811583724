"""Passkeys: a device signs in its owner, once for each challenge, here alone, and nobody else."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from gateway.accounts.links import SETUP_PATH, begin_link, new_link
from gateway.accounts.passkeys import MAX_PASSKEYS, forget_passkeys
from gateway.accounts.store import account_by_login
from gateway.accounts.throttle import WINDOW_S
from gateway.database.contract import Statement, Work
from gateway.web import passkey as passkey_page
from gateway.web import sign_in as sign_in_page
from gateway.web.prove import FRESH_S
from mappings.vocabulary import AuthMethod
from tests.authenticator import Device
from tests.federation import TestFederation, federation
from tests.web.invited import PASSWORD, signed_in, with_password
from tests.web_user import Shown, WebUser

HOUSING = "housing"
XSS = "<img src=x onerror=alert(1)>"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def named(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """An agency whose pages have a name: for an IP address browsers make no passkeys."""
    folder = tmp_path_factory.mktemp("named")
    async with federation(folder, [HOUSING], web=True, web_host="localhost") as running:
        yield running


@pytest.fixture(autouse=True)
def later(named: TestFederation) -> None:
    """Each test begins when the tries of the one before no longer count."""
    named.clock.turn(WINDOW_S + 1)


def device_at(browser: WebUser, **more: Any) -> Device:
    return Device(origin=str(browser.url).rstrip("/"), rp_id="localhost", **more)


async def add(browser: WebUser, device: Device, name: str = "work phone", **lies: Any) -> Shown:
    """Add a passkey as the page's script does."""
    token = (await browser.get("/account/passkeys")).token
    options = await browser.post("/account/passkeys/options", {"name": name}, token=token)
    fields = {"name": name, "credential": device.create(options.text, **lies)}
    return await browser.post("/account/passkeys", fields, token=token)


async def owner(named: TestFederation, **more: Any) -> tuple[WebUser, Device]:
    """Somebody signed in who has a passkey."""
    browser = await named.sign_in(HOUSING, Role.PRACTITIONER)
    device = device_at(browser, **more)
    page = await add(browser, device)
    assert "work phone" in page.words, page.words
    return browser, device


async def challenge(browser: WebUser, path: str = "/sign-in/passkey", form: str = "/sign-in") -> tuple[str, str]:
    """Options for this browser, and the token of its form."""
    token = (await browser.get(form)).token
    options = await browser.post(f"{path}/options", token=token)
    assert options.status == 200
    return options.text, token


async def sign_in(browser: WebUser, device: Device, back: str = "/account", **lies: Any) -> Shown:
    options, token = await challenge(browser)
    return await browser.post(
        "/sign-in/passkey", {"credential": device.get(options, **lies), "next": back}, token=token
    )


async def method_of(named: TestFederation, account: str) -> list[str]:
    def work() -> Work[list[str]]:
        rows = yield Statement(
            "SELECT s.method FROM session s JOIN account a ON a.id = s.account_id WHERE a.public_id = ? "
            "ORDER BY s.created_at, s.auth_time",
            (account,),
        )
        return [method for (method,) in rows]

    return await named.pages[HOUSING].site.database.read(work())


async def disable(named: TestFederation, account: str) -> None:
    def work() -> Work[None]:
        yield Statement("UPDATE account SET disabled_at = ? WHERE public_id = ?", (named.clock.now(), account))

    await named.pages[HOUSING].site.database.write(work())


async def test_a_passkey_signs_in_without_login_password_or_code_and_counts_as_two_factors(
    named: TestFederation,
) -> None:
    someone, device = await owner(named)
    named.clock.turn(60)
    browser = named.browser(HOUSING)
    page = await sign_in(browser, device, back="/account/passkeys")
    assert (page.path, "last used" in page.words) == ("/account/passkeys", True)
    assert (await method_of(named, someone.id))[-1] == AuthMethod.MFA


async def test_what_the_page_asks_a_device_is_the_same_for_everybody(named: TestFederation) -> None:
    someone, _ = await owner(named)
    asked = [json.loads((await challenge(each))[0]) for each in (named.browser(HOUSING), named.browser(HOUSING))]
    assert asked[0].pop("challenge") != asked[1].pop("challenge")
    assert asked[0] == asked[1]
    assert asked[0]["allowCredentials"] == []
    assert asked[0]["userVerification"] == "required"
    assert asked[0]["rpId"] == "localhost"
    assert someone.account is not None


LIES = {
    "origin": {"origin": "https://evil.example"},
    "port": {"origin": "http://localhost:1"},
    "rp-id": {"rp_id": "evil.example"},
    "unverified": {"verified": False},
    "framed": {"cross_origin": True},
    "not-a-get": {"type": "webauthn.create"},
    "signature": {"signature": b"0" * 70},
    "nobody": {"user": b""},
    "somebody-else": {"user": bytes(16)},
}


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES.keys())
async def test_an_answer_made_for_or_by_anything_else_signs_nobody_in(
    named: TestFederation, lies: dict[str, Any]
) -> None:
    _, device = await owner(named)
    browser = named.browser(HOUSING)
    page = await sign_in(browser, device, **lies)
    assert (page.status, "does not open an account here" in page.words) == (401, True)
    assert (await browser.get("/account")).path == "/sign-in"
    assert (await sign_in(browser, device)).path == "/account"  # the truth does


async def test_a_challenge_counts_once_in_one_browser_and_for_five_minutes(named: TestFederation) -> None:
    _, device = await owner(named, count=None)
    browser, thief = named.browser(HOUSING), named.browser(HOUSING)
    options, token = await challenge(browser)
    fields = {"credential": device.get(options)}
    stolen = await thief.post("/sign-in/passkey", fields, form="/sign-in")
    assert (stolen.status, "took too long" in stolen.words) == (401, True)
    assert (await browser.post("/sign-in/passkey", fields, token=token, follow=False)).status == 303
    named.browsers.append(again := WebUser(str(browser.url)))
    assert (await again.post("/sign-in/passkey", fields, form="/sign-in")).status == 401
    token = (await browser.get("/account")).token  # the same browser, signed in now
    assert (await browser.post("/sign-in/passkey", fields, token=token)).status == 401
    late = named.browser(HOUSING)
    options, token = await challenge(late)
    named.clock.turn(301)
    page = await late.post("/sign-in/passkey", {"credential": device.get(options)}, token=token)
    assert (page.status, "took too long" in page.words) == (401, True)


async def test_a_challenge_is_used_up_by_an_answer_that_does_not_hold(named: TestFederation) -> None:
    _, device = await owner(named)
    browser = named.browser(HOUSING)
    options, token = await challenge(browser)
    wrong = {"credential": device.get(options, signature=b"x")}
    assert "does not open" in (await browser.post("/sign-in/passkey", wrong, token=token)).words
    page = await browser.post("/sign-in/passkey", {"credential": device.get(options)}, token=token)
    assert (page.status, "took too long" in page.words) == (401, True)


async def test_a_challenge_of_one_purpose_is_worth_nothing_for_another(named: TestFederation) -> None:
    browser, device = await owner(named)
    token = (await browser.get("/account/passkeys")).token
    options = await browser.post("/account/passkeys/options", {"name": "x"}, token=token)
    page = await browser.post("/sign-in/again/passkey", {"credential": device.get(options.text)}, token=token)
    assert (page.status, "took too long" in page.words) == (401, True)


async def test_a_passkey_that_was_removed_signs_nobody_in_and_ends_other_sessions(named: TestFederation) -> None:
    browser, device = await owner(named)
    other = named.browser(HOUSING)
    await sign_in(other, device)
    page = await browser.get("/account/passkeys")
    identifier = page.text.split('name="id" value="')[1].split('"')[0]
    removed = await browser.post("/account/passkeys/remove", {"id": identifier}, token=page.token)
    assert (removed.path, "You have none yet" in removed.words) == ("/account/passkeys", True)
    assert (await other.get("/account")).path == "/sign-in"
    assert "It may have been removed" in (await sign_in(named.browser(HOUSING), device)).words


async def test_a_new_beginning_by_a_setup_link_ends_all_passkeys(named: TestFederation) -> None:
    browser = await with_password(named, HOUSING, "restarted")
    await signed_in(browser, "restarted")
    device = device_at(browser)
    await add(browser, device)
    secret = new_link()

    def work() -> Work[None]:
        account = yield from account_by_login("restarted")
        assert account is not None
        yield from begin_link(account.id, secret, named.clock.now())

    await named.pages[HOUSING].site.database.write(work())
    assert (await sign_in(named.browser(HOUSING), device)).path == "/account"  # until it is used
    await named.browser(HOUSING).post(f"{SETUP_PATH}{secret}", {"new-password": PASSWORD})
    assert (await sign_in(named.browser(HOUSING), device)).status == 401


async def test_a_passkey_that_is_forgotten_while_it_signs_in_opens_nothing(
    named: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone, device = await owner(named)
    assert someone.account is not None
    account_id, start = someone.account.id, sign_in_page.start_session

    async def slowly(request: Any, site: Any, *said: Any, **named: Any) -> Any:
        await site.database.write(forget_passkeys(account_id))  # as a setup link does
        return await start(request, site, *said, **named)

    monkeypatch.setattr(passkey_page, "start_session", slowly)
    browser = named.browser(HOUSING)
    page = await sign_in(browser, device)
    assert (page.status, "does not open an account here" in page.words) == (401, True)
    assert (await browser.get("/account")).path == "/sign-in"


async def test_nobody_removes_a_passkey_of_somebody_else(named: TestFederation) -> None:
    browser, device = await owner(named)
    identifier = (await browser.get("/account/passkeys")).text.split('name="id" value="')[1].split('"')[0]
    thief = await named.sign_in(HOUSING, Role.ADMINISTRATOR)
    for tried in (identifier, "", "!", "AAAA"):
        page = await thief.post("/account/passkeys/remove", {"id": tried}, form="/account/passkeys")
        assert page.status == 404
    assert (await sign_in(named.browser(HOUSING), device)).path == "/account"


async def test_an_account_that_was_disabled_is_not_opened_by_its_passkey(named: TestFederation) -> None:
    browser, device = await owner(named)
    await disable(named, browser.id)
    page = await sign_in(named.browser(HOUSING), device)
    unknown = await sign_in(named.browser(HOUSING), device_at(browser))
    assert page.status == unknown.status == 401
    assert page.words == unknown.words


async def test_a_copy_of_a_passkey_is_noticed_refused_and_told(named: TestFederation) -> None:
    _, device = await owner(named)
    for _ in range(3):
        assert (await sign_in(named.browser(HOUSING), device)).path == "/account"
    device.count = 1  # what a copy from the first day would say next: 2
    page = await sign_in(named.browser(HOUSING), device)
    assert (page.status, "there may be a copy of it" in page.words) == (401, True)
    # Without the right signature it is not told: else anybody could frighten people.
    device.count = 1
    page = await sign_in(named.browser(HOUSING), device, signature=b"0" * 70)
    assert "copy" not in page.words


async def test_two_answers_at_once_with_one_count_do_not_both_pass(named: TestFederation) -> None:
    _, device = await owner(named)
    first, second = named.browser(HOUSING), named.browser(HOUSING)
    (one, token), (two, other) = await challenge(first), await challenge(second)
    answers = [device.get(one)]
    device.count = 0
    answers.append(device.get(two))
    assert (await first.post("/sign-in/passkey", {"credential": answers[0]}, token=token, follow=False)).status == 303
    assert (await second.post("/sign-in/passkey", {"credential": answers[1]}, token=other, follow=False)).status == 401


async def test_a_device_that_keeps_no_count_is_taken(named: TestFederation) -> None:
    _, device = await owner(named, count=None)
    for _ in range(2):
        assert (await sign_in(named.browser(HOUSING), device)).path == "/account"


async def test_a_credential_that_is_known_already_is_not_added_to_another_account(named: TestFederation) -> None:
    _, device = await owner(named)
    thief = await named.sign_in(HOUSING, Role.PRACTITIONER)
    stolen = device_at(thief, id=device.id)
    page = await add(thief, stolen)
    assert (page.status, "could not be added" in page.words) == (400, True)
    assert (await sign_in(named.browser(HOUSING), device)).path == "/account"
    assert (await sign_in(named.browser(HOUSING), stolen)).status == 401


@pytest.mark.parametrize("lies", [LIES["origin"], LIES["rp-id"], LIES["unverified"], {"type": "webauthn.get"}])
async def test_a_passkey_made_elsewhere_or_without_its_user_is_not_added(
    named: TestFederation, lies: dict[str, Any]
) -> None:
    browser = await named.sign_in(HOUSING, Role.PRACTITIONER)
    page = await add(browser, device_at(browser), **lies)
    assert (page.status, "could not be added" in page.words) == (400, True)
    assert "You have none yet" in page.words


async def test_nobody_has_more_passkeys_than_ten_or_one_without_a_name(named: TestFederation) -> None:
    browser = await named.sign_in(HOUSING, Role.PRACTITIONER)
    token = (await browser.get("/account/passkeys")).token
    assert (await browser.post("/account/passkeys/options", {"name": " "}, token=token)).status == 409
    page = await browser.post("/account/passkeys", {"name": ""}, token=token)
    assert (page.status, "Enter a name" in page.words) == (400, True)
    assert (await browser.post("/account/passkeys", {"name": "x" * 51}, token=token)).status == 400
    for number in range(MAX_PASSKEYS):
        assert (await add(browser, device_at(browser), f"key {number}")).path == "/account/passkeys"
    page = await browser.get("/account/passkeys")
    assert "which is the most" in page.words
    assert (await browser.post("/account/passkeys/options", {"name": "x"}, token=page.token)).status == 409
    page = await browser.post("/account/passkeys", {"name": "x", "credential": "{}"}, token=page.token)
    assert (page.status, "Remove one first" in page.words) == (400, True)


async def test_a_name_is_text_and_never_markup(named: TestFederation) -> None:
    browser = await named.sign_in(HOUSING, Role.PRACTITIONER)
    page = await add(browser, device_at(browser), XSS)
    assert XSS in page.words
    assert "<img" not in page.text


async def test_passkeys_are_shown_and_changed_only_after_a_fresh_proof(named: TestFederation) -> None:
    browser, device = await owner(named)
    page = await browser.get("/account/passkeys")
    identifier = page.text.split('name="id" value="')[1].split('"')[0]
    named.clock.turn(FRESH_S + 1)
    assert (await browser.get("/account/passkeys")).path == "/sign-in/again"
    for path, fields in (("", {"name": "x"}), ("/remove", {"id": identifier})):
        page = await browser.post(f"/account/passkeys{path}", fields, form="/account")
        assert page.path == "/sign-in/again"
    assert (await browser.post("/account/passkeys/options", {"name": "x"}, form="/account")).status == 409
    options, token = await challenge(browser, "/sign-in/again/passkey", "/sign-in/again")
    fields = {"credential": device.get(options), "next": "/account/passkeys"}
    page = await browser.post("/sign-in/again/passkey", fields, token=token)
    assert (page.path, "work phone" in page.words) == ("/account/passkeys", True)


async def test_nobody_proves_who_they_are_with_the_passkey_of_a_colleague(named: TestFederation) -> None:
    browser, _ = await owner(named)
    _, other = await owner(named)
    options, token = await challenge(browser, "/sign-in/again/passkey", "/sign-in/again")
    page = await browser.post("/sign-in/again/passkey", {"credential": other.get(options)}, token=token)
    assert (page.status, "does not open" in page.words) == (401, True)


async def test_without_a_form_token_nothing_of_a_passkey_is_taken_or_told(named: TestFederation) -> None:
    browser, device = await owner(named)
    for path in (
        "/account/passkeys",
        "/account/passkeys/options",
        "/account/passkeys/remove",
        "/sign-in/again/passkey",
    ):
        assert (await browser.post(path, {"name": "x"}, token="")).status == 403
    stranger = named.browser(HOUSING)
    options, _ = await challenge(stranger)
    for path in ("/sign-in/passkey", "/sign-in/passkey/options"):
        assert (await stranger.post(path, {"credential": device.get(options)}, token="")).status == 403


async def test_whoever_tries_passkeys_has_no_more_tries_than_at_passwords(
    named: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkey_page, "PER_ADDRESS", 3)
    _, device = await owner(named)
    browser = named.browser(HOUSING)
    assert (await sign_in(browser, device, signature=b"x")).status == 401
    assert (await sign_in(named.browser(HOUSING), device)).path == "/account"  # forgives itself alone
    for _ in range(2):
        assert (await sign_in(browser, device, signature=b"x")).status == 401
    page = await sign_in(browser, device)
    assert (page.status, "Too many tries" in page.words) == (429, True)


async def test_wrong_passwords_from_an_address_keep_nobody_there_from_signing_in_with_a_passkey(
    named: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_page, "PER_ADDRESS", 2)
    monkeypatch.setattr(passkey_page, "PER_ADDRESS", 2)
    _, device = await owner(named)
    stranger = named.browser(HOUSING)
    token = (await stranger.get("/sign-in")).token
    for number, status in enumerate((401, 401, 429)):
        fields = {"login": f"nobody-{number}", "password": "wrong"}
        assert (await stranger.post("/sign-in", fields, token=token)).status == status
    assert (await sign_in(named.browser(HOUSING), device)).path == "/account"


@pytest.mark.parametrize(
    "answer", ["{}", "[]", "null", "x", "[" * 9_000, '{"id": 1}', '{"a":' * 3_000, "1" * 5_000, "x" * 20_000]
)
async def test_what_is_no_answer_of_a_browser_is_refused_as_any_other(named: TestFederation, answer: str) -> None:
    browser = named.browser(HOUSING)
    _, token = await challenge(browser)
    page = await browser.post("/sign-in/passkey", {"credential": answer}, token=token)
    assert (page.status, "does not open an account here" in page.words) == (401, True)
    someone = await named.sign_in(HOUSING, Role.PRACTITIONER)
    token = (await someone.get("/account/passkeys")).token
    await someone.post("/account/passkeys/options", {"name": "x"}, token=token)
    assert (await someone.post("/account/passkeys", {"name": "x", "credential": answer}, token=token)).status == 400


async def test_without_javascript_the_page_says_so_and_the_password_still_signs_in(named: TestFederation) -> None:
    browser = await with_password(named, HOUSING, "no-scripts")
    page = await browser.post("/sign-in/passkey", {"credential": ""}, form="/sign-in")
    assert (page.status, "Use another way to sign in" in page.words) == (401, True)
    assert (await signed_in(browser, "no-scripts")).path == "/account"


async def test_a_password_alone_makes_no_session_as_strong_as_the_passkey_did(named: TestFederation) -> None:
    browser = await with_password(named, HOUSING, "weaker")
    await signed_in(browser, "weaker")
    device = device_at(browser)
    await add(browser, device)
    strong = named.browser(HOUSING)
    await sign_in(strong, device)
    site = named.pages[HOUSING].site

    def methods() -> Work[list[str]]:
        rows = yield Statement(
            "SELECT s.method FROM session s JOIN account a ON a.id = s.account_id WHERE login = ?", ("weaker",)
        )
        return sorted(method for (method,) in rows)

    assert await site.database.read(methods()) == ["mfa", "password"]
    await strong.post("/sign-in/again", {"password": PASSWORD})
    assert await site.database.read(methods()) == ["password", "password"]
    options, token = await challenge(strong, "/sign-in/again/passkey", "/sign-in/again")
    await strong.post("/sign-in/again/passkey", {"credential": device.get(options)}, token=token)
    assert await site.database.read(methods()) == ["mfa", "password"]


async def test_pages_without_a_name_offer_no_passkeys(named: TestFederation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.sign_in.party_of", lambda *_: None)
    monkeypatch.setattr("gateway.web.own_passkeys.party_of", lambda *_: None)
    monkeypatch.setattr(passkey_page, "party_of", lambda *_: None)
    browser = named.browser(HOUSING)
    page = await browser.get("/sign-in")
    assert "passkey" not in page.text
    assert (await browser.post("/sign-in/passkey/options", token=page.token)).status == 404
    someone = await named.sign_in(HOUSING, Role.PRACTITIONER)
    assert "browsers make no passkeys" in (await someone.get("/account/passkeys")).words
