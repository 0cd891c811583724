"""Turning a second factor on and off for one's own account: an app that shows codes (RFC 6238).

A new secret stays with the browser, sealed by us, until a code proves that the app has it; only then it is stored. Who
turns it on or off must have proved who they are within the last minutes.
"""

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

import segno
from aiohttp import web
from markupsafe import Markup

from gateway.accounts.store import set_totp
from gateway.accounts.totp import SECRET_BYTES, enrolment_uri, matching_step, readable
from gateway.database.contract import Work
from gateway.errors import StorageError
from gateway.events import emit
from gateway.web.account_page import ACCOUNT_PATH
from gateway.web.forms import Form, form_of
from gateway.web.prove import is_fresh, renew, to_prove
from gateway.web.render import render
from gateway.web.second_factor import MAX_CODE
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

FACTOR_PATH = ACCOUNT_PATH + "/second-factor"

routes = web.RouteTableDef()


@routes.get(FACTOR_PATH)
@page()
async def show_factor(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What to scan, or that it is on."""
    _with_password(user)
    if not is_fresh(user, site):
        raise to_prove(FACTOR_PATH)
    if user.account.totp_secret is not None:
        return render(request, "own_second_factor.html", form=Form())
    return _set_up(request, site, user, Form(), secrets.token_bytes(SECRET_BYTES))


@routes.post(FACTOR_PATH)
@page()
async def turn_on(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Store the secret that the page showed, if the app's code proves it."""
    _with_password(user)
    if not is_fresh(user, site):
        raise to_prove(FACTOR_PATH)
    form = form_of(request)
    secret = _unsealed(site, user, form.raw("secret"))
    if secret is None or user.account.totp_secret is not None:
        raise web.HTTPSeeOther(FACTOR_PATH)
    code = form.line("code", max_length=MAX_CODE, missing=_("Enter the code that your app shows"))
    step = None if form.errors else matching_step(secret, code, site.now())
    if step is None:
        form.wrong("code", _("This is not the code. Check that the clock of your phone is right, then try again."))
        return _set_up(request, site, user, form, secret)
    return await _store(site, user, site.key.seal(secret, user.id), step)


@routes.post(FACTOR_PATH + "/off")
@page()
async def turn_off(_request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Ask for no codes any more."""
    if not is_fresh(user, site):
        raise to_prove(FACTOR_PATH)
    return await _store(site, user, None, 0)


def _with_password(user: SignedIn) -> None:
    if user.account.password is None and user.account.totp_secret is None:  # codes are asked for after a password only
        raise web.HTTPNotFound


async def _store(site: Site, user: SignedIn, sealed: bytes | None, step: int) -> web.StreamResponse:
    def work() -> Work[bool]:
        yield from set_totp(user.account.id, sealed, step)
        return True

    response = web.HTTPSeeOther(ACCOUNT_PATH)
    await renew(response, site, user, auth_time=user.session.auth_time, first=work, alone=True)
    emit("session.ended", account=user.id, reason="second-factor-set")
    raise response


def _set_up(request: web.Request, site: Site, user: SignedIn, form: Form, secret: bytes) -> web.Response:
    uri = enrolment_uri(secret, agency=site.agency, login=user.account.login or user.account.name)
    picture = segno.make(uri, error="m").svg_inline(scale=4, title=_("Code to scan with your app"))
    return render(
        request,
        "own_second_factor.html",
        status=400 if form.errors else 200,
        form=form,
        picture=Markup(picture),  # noqa: S704 - drawn by segno: paths and a title of ours, nothing that was typed
        readable=readable(secret),
        sealed=urlsafe_b64encode(site.key.seal(secret, _offer(user))).decode(),
    )


def _unsealed(site: Site, user: SignedIn, sealed: str) -> bytes | None:
    try:
        return site.key.open(urlsafe_b64decode(sealed), _offer(user))
    except (binascii.Error, ValueError, StorageError):
        return None


def _offer(user: SignedIn) -> str:
    """Under which name a secret is sealed that is offered and not yet stored."""
    return f"offer {user.session.public_id}"
