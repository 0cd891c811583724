"""Somebody's own account: who they are here, and the browsers in which they are signed in."""

from collections.abc import Sequence

from aiohttp import web

from gateway.accounts.passkeys import Passkey, passkeys_of
from gateway.accounts.sessions import Session, end_all, end_one, sessions_of
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.forms import form_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

ACCOUNT_PATH = "/account"

routes = web.RouteTableDef()


@routes.get(ACCOUNT_PATH)
@page()
async def show_account(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Their name, roles, second factor and sessions."""

    def work() -> Work[tuple[Sequence[Session], Sequence[Passkey]]]:
        sessions = yield from sessions_of(user.account.id, site.session_limits, site.now())
        passkeys = yield from passkeys_of(user.account.id)
        return sessions, passkeys

    sessions, passkeys = await site.database.read(work())
    return render(request, "account.html", sessions=sessions, passkeys=len(passkeys), roles=sorted(user.account.roles))


@routes.post(ACCOUNT_PATH + "/sign-out-other")
@page()
async def sign_out_other(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """End one of their other sessions, or all others."""
    chosen = form_of(request).line("session")
    if chosen:
        if not await site.database.write(end_one(user.account.id, chosen)):
            raise web.HTTPNotFound
        site.end_session(chosen)
    else:
        site.end_sessions(await site.database.write(end_all(user.account.id, but=user.session)))
    emit("session.ended", account=user.id, reason="signed-out-elsewhere")
    raise web.HTTPSeeOther(ACCOUNT_PATH)
