"""Changing one's own password: the old one is asked for, and every other browser is signed out."""

from aiohttp import web

from gateway.accounts.store import same_password, set_password
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.account_page import ACCOUNT_PATH
from gateway.web.forms import Form, form_of
from gateway.web.new_password import read_new_password
from gateway.web.prove import check_password, renew
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

PASSWORD_PATH = ACCOUNT_PATH + "/password"

routes = web.RouteTableDef()


@routes.get(PASSWORD_PATH)
@page()
async def show_password(request: web.Request, _site: Site, user: SignedIn) -> web.StreamResponse:
    """The form."""
    _has_one(user)
    return render(request, "own_password.html", form=Form())


@routes.post(PASSWORD_PATH)
@page()
async def change_password(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Set the new password, if the old one is right. The session goes on, no better proved than before."""
    _has_one(user)
    form = form_of(request)
    password = read_new_password(form, user.account)
    if not form.errors:
        await check_password(site, user.account, form)
    if form.errors:
        return render(request, "own_password.html", form=form, status=400)
    hashed = await site.passwords.hash(password, account=site.key.name("prove", user.id))

    def work() -> Work[bool]:
        same = yield from same_password(user.account)
        if same:
            yield from set_password(user.account.id, hashed, site.now())
        return same

    response = web.HTTPSeeOther(ACCOUNT_PATH)
    await renew(response, site, user, auth_time=user.session.auth_time, first=work, alone=True)
    emit("session.ended", account=user.id, reason="password-set")
    raise response


def _has_one(user: SignedIn) -> None:
    if user.account.password is None:  # the directory signs them in; only an administrator gives a first password
        raise web.HTTPNotFound
