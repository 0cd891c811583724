"""Somebody who has a setup link, a password that they choose, and an app that shows codes."""

from gateway.accounts.account import Account, Role
from gateway.accounts.links import SETUP_PATH, begin_link, new_link
from gateway.accounts.store import NewAccount, add_account
from gateway.accounts.totp import STEP_S, code_at
from gateway.database.contract import Work
from tests.federation import NAME, TestFederation
from tests.web_user import Shown, WebUser

PASSWORD = "correct horse battery staple"


async def invite(north: TestFederation, member: str, login: str, *roles: Role) -> str:
    """Make an account without a password; the path of its setup link."""
    secret = new_link()
    new = NewAccount(
        federation=NAME,
        login=login,
        name="Wendy Smith",
        job_role="Housing officer",
        roles=frozenset(roles or {Role.PRACTITIONER}),
        granted_by="test",
    )

    def work() -> Work[Account]:
        account = yield from add_account(new, north.clock.now())
        yield from begin_link(account.id, secret, north.clock.now())
        return account

    await north.pages[member].site.database.write(work())
    return f"{SETUP_PATH}{secret}"


async def with_password(north: TestFederation, member: str, login: str, password: str = PASSWORD) -> WebUser:
    """A browser whose owner has set a password, and has not signed in yet."""
    browser = north.browser(member)
    shown = await browser.post(await invite(north, member, login), {"new-password": password})
    assert shown.path == "/sign-in", shown.words
    return browser


async def signed_in(
    browser: WebUser, login: str, password: str = PASSWORD, *, back: str = "/", follow: bool = True
) -> Shown:
    """Fill in the sign-in form, as it comes with `back`."""
    fields = {"login": login, "password": password, "next": back}
    return await browser.post("/sign-in", fields, follow=follow)


def code_now(north: TestFederation, secret: bytes) -> str:
    """What the app shows at this moment."""
    return code_at(secret, int(north.clock.now()) // STEP_S)
