"""What was proved with an old password, or by somebody who has been signed out since, opens nothing afterwards."""

from collections.abc import Callable

import pytest

from gateway.accounts.administer import shut_out, sign_out
from gateway.accounts.links import begin_link, new_link, use_link
from gateway.accounts.passwords import Passwords
from gateway.accounts.store import account_by_login, set_password, set_totp
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
