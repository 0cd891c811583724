"""Signing out: this browser, or every browser of the account."""

from aiohttp import web

from gateway.accounts.sessions import end, end_all
from gateway.events import emit
from gateway.web.session_cookie import forget_session
from gateway.web.signed_in import SIGN_IN_PATH, SignedIn, page
from gateway.web.site import Site

routes = web.RouteTableDef()


@routes.post("/sign-out")
@page()
async def sign_out(_request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """End this session."""
    await site.database.write(end(user.session))
    site.end_session(user.session.public_id)
    emit("session.ended", account=user.id, reason="signed-out")
    raise _to_sign_in(site)


@routes.post("/sign-out-everywhere")
@page()
async def sign_out_everywhere(_request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """End all sessions of this account."""
    site.end_sessions(await site.database.write(end_all(user.account.id)))
    emit("session.ended", account=user.id, reason="signed-out-everywhere")
    raise _to_sign_in(site)


def _to_sign_in(site: Site) -> web.HTTPSeeOther:
    response = web.HTTPSeeOther(SIGN_IN_PATH, headers={"Clear-Site-Data": '"cache"'})
    forget_session(response, secure=site.web.secure)
    return response
