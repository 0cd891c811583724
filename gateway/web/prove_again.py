"""Proving again who one is, before something that must not be done at a desk that somebody has left for a moment.

A page that wants it raises `to_proof(request)` unless `is_fresh`; the browser comes back to it afterwards. Who signs in
with a password gives it again, and a code where the account has a second factor: no less than at sign-in.
"""

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts.account import Account
from gateway.accounts.passwords import MAX_LENGTH
from gateway.accounts.sessions import new_token, prove_again
from gateway.accounts.store import use_totp_step
from gateway.accounts.throttle import PER_CODE, PER_LOGIN, Limited, begin_try
from gateway.accounts.totp import matching_step
from gateway.events import emit
from gateway.web.forms import Form, form_of
from gateway.web.paths import HOME, own_path
from gateway.web.render import render
from gateway.web.session_cookie import set_session
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PATH: Final = "/prove"
FRESH_S: Final = 300  # a sign-in that is older has to be proved again

routes = web.RouteTableDef()


def is_fresh(site: Site, user: SignedIn) -> bool:
    """Whether somebody proved who they are within the last minutes."""
    return site.now() - user.session.auth_time < FRESH_S


def to_proof(request: web.Request) -> web.HTTPSeeOther:
    """Off to the page that asks, and back to this one; what was posted is not sent again."""
    return web.HTTPSeeOther(f"{PATH}?{urlencode({'next': request.path})}")


@routes.get(PATH)
@page()
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Ask; who is fresh goes on."""
    back = own_path(request.query.get("next", HOME))
    if is_fresh(site, user):
        raise web.HTTPSeeOther(back)
    return _form_page(request, Form(), user, back)


@routes.post(PATH)
@page()
async def prove(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Go on under a new token, with the same method of sign-in as before."""
    form = form_of(request)
    back = own_path(form.raw("next"))
    account, now = user.account, site.now()
    password = form.raw("password")
    if not password:
        form.wrong("password", _("Enter your password"))
        return _form_page(request, form, user, back, status=400)
    own = Limited(site.key.name("prove", account.public_id), PER_LOGIN if account.totp_secret is None else PER_CODE)
    if not await site.database.write(begin_try((own,), now)):
        emit("sign_in.refused", reason="too-many")
        form.wrong("password", _("Too many tries. Wait 15 minutes, then try again."))
        return _form_page(request, form, user, back, status=429)
    right = await site.passwords.verify(account.password, password[: MAX_LENGTH + 1])
    if not (right and await _has_code(site, account, form.raw("code"))):
        emit("sign_in.refused", reason="wrong")
        form.wrong("password", _("This is not right: try again"))
        return _form_page(request, form, user, back, status=401)
    token = new_token()
    await site.database.write(prove_again(user.session, token, method=user.session.method, now=now))
    response = web.HTTPSeeOther(back)
    set_session(response, token, secure=site.web.secure)
    raise response


async def _has_code(site: Site, account: Account, typed: str) -> bool:
    if account.totp_secret is None:
        return True
    step = matching_step(site.key.open(account.totp_secret, account.public_id), typed, site.now())
    return step is not None and await site.database.write(use_totp_step(account.id, step))


def _form_page(request: web.Request, form: Form, user: SignedIn, back: str, status: int = 200) -> web.Response:
    return render(request, "prove_again.html", status=status, form=form, back=back, account=user.account)
