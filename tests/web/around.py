"""People around the clients of clients.py who use the pages, and what a test asks of them again and again."""

import re

from aiohttp import web

from gateway.accounts import sessions
from gateway.accounts.account import Role
from gateway.web.session_cookie import set_session
from gateway.web.team_changes import notice_changes
from mappings.model import HumanName, Involvement, Practitioner
from mappings.vocabulary import AuthMethod
from tests.federation import TestFederation
from tests.web.clients import TRUST
from tests.web_user import Shown, WebUser

CLIENT = "/clients/1"


async def kim(north: TestFederation) -> WebUser:
    """Kim Physio, whom Rae Reception sees in the team, and who sees her."""
    return await north.sign_in(TRUST, Role.PRACTITIONER, name="Kim Physio", job_role="Nurse", workers=["Physio"])


async def hidden(north: TestFederation) -> WebUser:
    """Kim Sexual-Health, whose work no colleague may learn of."""
    name = "Kim Sexual-Health"
    return await north.sign_in(TRUST, Role.PRACTITIONER, name=name, job_role="Nurse", workers=["Sexual-Health"])


async def nia(north: TestFederation) -> WebUser:
    """Nia New, whom everybody may find, and who works with nobody here but Owen Pritchard."""
    await north.add(
        TRUST,
        Practitioner(key="nia", name=HumanName(given=("Nia",), family="New"), role="Youth worker"),
        Involvement(key="nia", person_key="o1", practitioner_key="nia", service_key="Physio"),
    )
    return await north.sign_in(TRUST, Role.PRACTITIONER, name="Nia New", job_role="Youth worker", workers=["nia"])


async def compare(north: TestFederation) -> None:
    """The comparison that a serving node makes every few minutes."""
    await notice_changes(north.pages[TRUST].site)


async def invite(inviter: WebUser, invited: WebUser, *, role: str = "own", client: str = CLIENT) -> Shown:
    """Send an invitation."""
    return await inviter.post(f"{client}/invite", {"do": "send", "to": invited.id, "role": role})


async def return_of(north: TestFederation, user: WebUser) -> WebUser:
    """A new browser in which somebody is signed in, after days."""
    token = sessions.new_token()
    browser = north.browser(TRUST)
    browser.account = user.account
    assert user.account is not None
    begun = sessions.begin(token, user.account.id, method=AuthMethod.MFA, now=north.clock.now())
    await north.pages[TRUST].site.database.write(begun)
    response = web.Response()
    set_session(response, token, secure=False)
    browser.cookies.update_cookies(response.cookies, browser.url)
    return browser


async def invitation_of(user: WebUser) -> str:
    """The address of the invitation that waits for somebody."""
    found = re.search(r'action="(/invitations/[0-9a-f]{32})/accept"', (await user.get("/notices")).text)
    assert found
    return found[1]
