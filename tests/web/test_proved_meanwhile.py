"""What was proved with an old password, or by somebody who has been signed out since, opens nothing afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest

from gateway.accounts.account import Role
from gateway.accounts.administer import set_roles, shut_out, sign_out
from gateway.accounts.links import begin_link, new_link, use_link
from gateway.accounts.passwords import Passwords
from gateway.accounts.store import account_by_id, account_by_login, set_password, set_totp
from gateway.database.contract import Work
from gateway.web import second_factor
from tests.federation import TestFederation
from tests.web.conftest import HOUSING
from tests.web.invited import PASSWORD, code_now, signed_in, with_password
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW = "another battery of horses"

# What happens to an account, by its row, while a password is being checked.
Meanwhile = Callable[[int, str, float], Work[object]]
Finish = Callable[[], Awaitable[bytes]]


def password_set(account_id: int, hashed: str, now: float) -> Work[object]:
    yield from set_password(account_id, hashed, now)
    return (yield from sign_out(account_id, by="test", now=now))


def link_used(account_id: int, hashed: str, now: float) -> Work[object]:
    secret = new_link()
    yield from begin_link(account_id, secret, now)
    return (yield from use_link(secret, hashed, now))


def disabled(account_id: int, _hashed: str, now: float) -> Work[object]:
    return (yield from shut_out(account_id, by="test", now=now))


def signed_out(account_id: int, _hashed: str, now: float) -> Work[object]:
    return (yield from sign_out(account_id, by="test", now=now))


def second_factor_set(account_id: int, _hashed: str, _now: float) -> Work[object]:
    yield from set_totp(account_id, b"sealed", 0)
    return None


@pytest.fixture
def while_checking(north: TestFederation, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Meanwhile], None]:
    """Let something happen to a login after its password was found right, and before anybody is told."""

    def arrange(login: str, meanwhile: Meanwhile) -> None:
        site = north.pages[HOUSING].site
        verify = Passwords.verify

        async def slowly(passwords: Passwords, *said: object, **named: object) -> bool:
            right = await verify(passwords, *said, **named)  # type: ignore[arg-type]  # whatever it takes
            monkeypatch.setattr(Passwords, "verify", verify)
            account = await site.database.read(account_by_login(login))
            assert account is not None
            hashed = await site.passwords.hash(NEW)
            await site.database.write(meanwhile(account.id, hashed, site.now()))
            return right

        monkeypatch.setattr(Passwords, "verify", slowly)

    return arrange


async def is_signed_in(browser: WebUser) -> bool:
    return (await browser.get("/account")).path == "/account"


@pytest.mark.parametrize("meanwhile", [password_set, link_used, disabled, second_factor_set])
async def test_a_sign_in_under_way_ends_in_nothing_when_the_account_changes(
    north: TestFederation, while_checking: Callable[[str, Meanwhile], None], meanwhile: Meanwhile
) -> None:
    login = f"during-{meanwhile.__name__}"
    browser = await with_password(north, HOUSING, login)
    while_checking(login, meanwhile)
    page = await signed_in(browser, login)
    assert (page.status, "not right" in page.words) == (401, True)
    assert not await is_signed_in(browser)


@pytest.mark.parametrize("meanwhile", [password_set, link_used, disabled, signed_out])
async def test_proving_again_brings_no_session_back_that_has_ended(
    north: TestFederation, while_checking: Callable[[str, Meanwhile], None], meanwhile: Meanwhile
) -> None:
    login = f"again-{meanwhile.__name__}"
    browser = await with_password(north, HOUSING, login)
    await signed_in(browser, login)
    while_checking(login, meanwhile)
    page = await browser.post("/sign-in/again", {"password": PASSWORD, "next": "/account"})
    assert page.path == "/sign-in"
    assert not await is_signed_in(browser)


@pytest.mark.parametrize("meanwhile", [password_set, link_used, signed_out])
async def test_a_change_of_password_under_way_does_not_undo_that_of_the_owner(
    north: TestFederation, while_checking: Callable[[str, Meanwhile], None], meanwhile: Meanwhile
) -> None:
    login = f"change-{meanwhile.__name__}"
    intruder = await with_password(north, HOUSING, login)
    await signed_in(intruder, login)
    while_checking(login, meanwhile)
    theirs = "the intruder chose this one"
    page = await intruder.post("/account/password", {"password": PASSWORD, "new-password": theirs})
    assert page.path == "/sign-in"
    assert (await signed_in(intruder, login, theirs)).status == 401
    assert (await signed_in(intruder, login, PASSWORD if meanwhile is signed_out else NEW)).path == "/account"


async def test_a_code_under_way_begins_nothing_after_signing_out_everywhere(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = north.pages[HOUSING].site
    browser = await with_password(north, HOUSING, "half-way")
    account = await site.database.read(account_by_login("half-way"))
    assert account is not None
    secret = b"s" * 20
    await site.database.write(set_totp(account.id, site.key.seal(secret, account.public_id), 0))
    assert (await signed_in(browser, "half-way")).path == "/sign-in/code"
    check = second_factor.check_code

    async def slowly(*said: object) -> str:
        refused = await check(*said)  # type: ignore[arg-type]  # whatever it takes
        await site.database.write(sign_out(account.id, by="test", now=site.now()))
        return refused

    monkeypatch.setattr(second_factor, "check_code", slowly)
    page = await browser.post("/sign-in/code", {"code": code_now(north, secret), "next": "/account"})
    assert page.path == "/sign-in"
    assert not await is_signed_in(browser)


@asynccontextmanager
async def half_sent(user: WebUser, path: str, fields: Mapping[str, str], *, form: str) -> AsyncIterator[Finish]:
    """A form of which all but the last bytes have come; the status of the answer once they are sent."""
    token = (await user.get(form)).token
    body = urlencode({"csrf": token, **fields}).encode()
    cookies = "; ".join(f"{each.key}={each.value}" for each in user.cookies)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {user.url.authority}\r\nOrigin: {user.url.origin()}\r\nCookie: {cookies}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    assert user.url.host is not None
    reader, writer = await asyncio.open_connection(user.url.host, user.url.port)
    writer.write(head.encode() + body[:5])
    await writer.drain()
    await asyncio.sleep(0.1)  # the node has read the head, and who sends it

    async def finish() -> bytes:
        writer.write(body[5:])
        return await reader.readuntil(b"\r\n\r\n")

    yield finish
    writer.close()
    await writer.wait_closed()


async def test_a_form_kept_half_sent_does_nothing_for_somebody_who_is_disabled_meanwhile(north: TestFederation) -> None:
    site = north.pages[HOUSING].site
    await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    intruder = await north.sign_in(HOUSING, Role.ADMINISTRATOR, name="Eve Intruder")
    assert intruder.account is not None
    path = f"/manage/accounts/{intruder.id}"
    async with half_sent(intruder, f"{path}/enable", {}, form=path) as finish:
        await site.database.write(shut_out(intruder.account.id, by="test", now=site.now()))
        answer = await finish()
    assert b"Location: /sign-in" in answer
    assert await site.database.read(account_by_id(intruder.account.id)) is None


async def test_a_form_kept_half_sent_does_nothing_for_somebody_who_loses_the_role_meanwhile(
    north: TestFederation,
) -> None:
    site = north.pages[HOUSING].site
    await north.sign_in(HOUSING, Role.ADMINISTRATOR)
    intruder = await north.sign_in(HOUSING, Role.ADMINISTRATOR, name="Eve Intruder")
    assert intruder.account is not None
    fields = {"login": "eve-two", "name": "Eve Two", "job-role": "None", "roles": "administrator"}
    async with half_sent(intruder, "/manage/accounts/add", fields, form="/manage/accounts/add") as finish:
        await site.database.write(set_roles(intruder.account.id, (), by="test", now=site.now()))
        answer = await finish()
    assert answer.startswith(b"HTTP/1.1 403")
    assert await site.database.read(account_by_login("eve-two")) is None
