"""The page behind a setup link: somebody sets their own password, once, and then signs in with it."""

from aiohttp import web

from gateway.accounts.account import Account
from gateway.accounts.links import SETUP_PATH, account_of_link, use_link
from gateway.events import emit
from gateway.web.forms import Form, form_of
from gateway.web.new_password import read_new_password
from gateway.web.render import render
from gateway.web.session_cookie import forget_session, remember_login
from gateway.web.signed_in import SIGN_IN_PATH, open_page
from gateway.web.site import Site

routes = web.RouteTableDef()


@routes.get(SETUP_PATH + "{secret}")
@open_page
async def show_link(request: web.Request, site: Site) -> web.StreamResponse:
    """The form, while the link holds."""
    account = await site.database.read(account_of_link(request.match_info["secret"], site.now()))
    return _gone(request) if account is None else _page(request, Form(), account)


@routes.post(SETUP_PATH + "{secret}")
@open_page
async def set_first_password(request: web.Request, site: Site) -> web.StreamResponse:
    """Set the password and use the link up."""
    secret = request.match_info["secret"]
    account = await site.database.read(account_of_link(secret, site.now()))
    if account is None:
        return _gone(request)
    form = form_of(request)
    password = read_new_password(form, account)
    if form.errors:
        return _page(request, form, account, status=400)
    hashed = await site.passwords.hash(password, account=site.key.name("prove", account.public_id))
    ended = await site.database.write(use_link(secret, hashed, site.now()))
    if ended is None:
        return _gone(request)
    site.end_sessions(ended)
    emit("session.ended", account=account.public_id, reason="password-set")
    response = web.HTTPSeeOther(SIGN_IN_PATH)
    forget_session(response, secure=site.web.secure)
    remember_login(response, account.login or "", secure=site.web.secure)
    raise response


def _page(request: web.Request, form: Form, account: Account, *, status: int = 200) -> web.Response:
    return render(request, "first_password.html", status=status, form=form, account=account, form_path=request.path)


def _gone(request: web.Request) -> web.Response:
    return render(request, "link_gone.html", status=404)
