"""One-click sign-in as each role of a demonstration.

application.py takes these routes only where `[web]` has demo = true, which settings/web.py allows on this machine
alone: elsewhere they do not exist. They sign in with the accounts of accounts/personas.py and no others.
"""

from typing import Final

from aiohttp import web

from gateway.accounts.personas import PERSONAS, personas
from gateway.accounts.store import account_by_login, is_enabled
from gateway.web.forms import form_of
from gateway.web.paths import HOME, own_path
from gateway.web.prove import renew
from gateway.web.render import render
from gateway.web.sign_in import start_session
from gateway.web.signed_in import USER, SignedIn, open_page, page
from gateway.web.site import Site
from mappings.vocabulary import AuthMethod

DEMO_PATH: Final = "/demo"

_LOGINS: Final = [persona.login for persona in PERSONAS]

routes = web.RouteTableDef()


@routes.get(DEMO_PATH)
@open_page
async def show_demo(request: web.Request, site: Site) -> web.StreamResponse:
    """A button for each; somebody who is signed in may become another."""
    return render(request, "demo.html", personas=await site.database.read(personas()))


@routes.post(DEMO_PATH)
@open_page
async def become(request: web.Request, site: Site) -> web.StreamResponse:
    """Begin a session as one of them, as if they had proved who they are with a second factor."""
    form = form_of(request)
    login = form.choice("login", _LOGINS)
    account = await site.database.read(account_by_login(login)) if login else None
    if account is None:
        raise web.HTTPBadRequest
    old = request.get(USER)
    begun = await start_session(
        request,
        site,
        account,
        method=AuthMethod.MFA,
        back=own_path(form.raw("next") or HOME),
        still=lambda: is_enabled(account),
        instead_of=old.session if old else None,
    )
    raise begun or web.HTTPSeeOther(DEMO_PATH)


@routes.post(DEMO_PATH + "/again")
@page()
async def prove_nothing(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Where other nodes ask for a password: these accounts have none."""
    if user.account.login not in _LOGINS:
        raise web.HTTPForbidden
    response = web.HTTPSeeOther(own_path(form_of(request).raw("next")))
    await renew(response, site, user)
    raise response
