"""Proving again who one is, before what must not be done at a screen that somebody has left unlocked.

    if not is_fresh(user, site):
        raise to_prove("/account/password")

A form in which people write something asks for the proof itself (partials/prove_fields.html), so that nothing of it is
lost on the way:

    proved = await prove_in_form(site, user, form)
    if not form.errors: ...
        await go_on(response, site, user, proved=proved)

The password is asked for, and the code too where the account has a second factor; or a passkey (passkey.py), or the
directory (oidc.py), if the account has those: then the proof comes before the form. The session goes on under a
new token with a new `auth_time`, and as strong as this proof was; its life does not become longer.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts.account import Account
from gateway.accounts.passkey_proof import party_of
from gateway.accounts.passkeys import passkeys_of
from gateway.accounts.passwords import MAX_LENGTH
from gateway.accounts.sessions import end_all, holds, new_token, prove_again
from gateway.accounts.store import same_password
from gateway.accounts.throttle import PER_LOGIN, Limited, begin_try, forgive
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.forms import Form, form_of
from gateway.web.paths import HOME, own_path
from gateway.web.render import render
from gateway.web.second_factor import MAX_CODE, check_code
from gateway.web.session_cookie import set_session
from gateway.web.signed_in import SIGN_IN_PATH, SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.vocabulary import AuthMethod

PROVE_PATH = "/sign-in/again"
FRESH_S = 300.0  # how long a proof counts for

routes = web.RouteTableDef()


def is_fresh(user: SignedIn, site: Site) -> bool:
    """Whether somebody has proved who they are in the last five minutes."""
    return site.now() - user.session.auth_time < FRESH_S


def to_prove(back: str) -> web.HTTPSeeOther:
    """Off to prove it again, and then to the page `back`."""
    return web.HTTPSeeOther(f"{PROVE_PATH}?{urlencode({'next': back})}")


@routes.get(PROVE_PATH)
@page()
async def show_prove(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The ways that this account has."""
    return await prove_page(request, site, user, Form(), own_path(request.query.get("next", HOME)))


@routes.post(PROVE_PATH)
@page()
async def prove(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Check password and code, and go on."""
    form = form_of(request)
    back = own_path(form.raw("next"))
    await _check(site, user.account, form)
    if form.errors:
        return await prove_page(request, site, user, form, back, status=401)
    response = web.HTTPSeeOther(back)
    await renew(response, site, user, method=_strength(user.account), first=lambda: same_password(user.account))
    raise response


async def prove_in_form(site: Site, user: SignedIn, form: Form) -> bool:
    """Check password and code, which a form has where it was shown to somebody whose proof is not fresh any more.

    Whether they were right just now: False where an earlier proof is fresh still, and nothing was looked at. Says on
    the form what is wrong. A form that is wrong in other ways is not looked at: a code counts once.
    """
    if form.errors or is_fresh(user, site):
        return False
    if user.account.password is None:
        form.wrong("proof", _("Show that it is you first: your sign-in is more than five minutes old"))
    else:
        await _check(site, user.account, form)
    return not form.errors


async def go_on(response: web.StreamResponse, site: Site, user: SignedIn, *, proved: bool) -> None:
    """After prove_in_form(), which said `proved`: go on under a new token, if that was a proof.

    The clock is not asked again: five minutes may have ended in between, and nobody would have proved anything.
    """
    if proved:
        await renew(response, site, user, method=_strength(user.account), first=lambda: same_password(user.account))


def _strength(account: Account) -> AuthMethod:
    return AuthMethod.PASSWORD if account.totp_secret is None else AuthMethod.MFA


async def _check(site: Site, account: Account, form: Form) -> None:
    await check_password(site, account, form)
    if account.totp_secret is not None and not form.errors:
        code = form.line("code", max_length=MAX_CODE, missing=_("Enter the code that your app shows"))
        refused = "" if form.errors else await check_code(site, account, code)
        if refused:
            form.wrong("code", refused)


async def check_password(site: Site, account: Account, form: Form) -> None:
    """Check the field `password` against this account; says on the form what is wrong.

    Tries count apart from those to sign in, which anybody can use up who knows the login: else a stranger could keep
    somebody who is signed in from breaking the glass.
    """
    of_login = Limited(site.key.name("prove", account.public_id), PER_LOGIN)
    tried_at = site.now()
    if not await site.database.write(begin_try((of_login,), tried_at)):
        emit("sign_in.refused", reason="too-many")
        form.wrong("password", _("Too many tries. Wait 15 minutes, then try again."))
    elif not await site.passwords.verify(
        account.password, form.raw("password")[: MAX_LENGTH + 1], account=of_login.key
    ):
        emit("sign_in.refused", reason="wrong")
        form.wrong("password", _("This is not your password"))
    else:
        await site.database.write(forgive(of_login, tried_at))


async def renew(
    response: web.StreamResponse,
    site: Site,
    user: SignedIn,
    *,
    method: AuthMethod | None = None,
    auth_time: float | None = None,
    first: Callable[[], Work[bool]] | None = None,
    alone: bool = False,
) -> None:
    """Go on under a new token; `method` says how they have just proved who they are, None: as strong as before.

    `first` is done before, in the same transaction, and with `alone` all other browsers of the account are signed out.
    If the session has ended meanwhile nothing is done, and if `first` says no it does not go on: then the browser is
    sent to sign in, which raises.
    """
    token = new_token()
    renewed, ended = await site.database.write(_renew(user, token, method, site.now(), auth_time, first, alone=alone))
    site.end_sessions(ended)
    if not renewed:
        emit("sign_in.refused", reason="changed-meanwhile")
        raise web.HTTPSeeOther(SIGN_IN_PATH)
    set_session(response, token, secure=site.web.secure)


def _renew(
    user: SignedIn,
    token: bytes,
    method: AuthMethod | None,
    now: float,
    auth_time: float | None,
    first: Callable[[], Work[bool]] | None,
    *,
    alone: bool,
) -> Work[tuple[bool, list[str]]]:
    """Whether the session goes on, and the public ids of those that ended."""
    if not (yield from holds(user.session)) or (first is not None and not (yield from first())):
        return False, []
    renewed = yield from prove_again(
        user.session, token, method=method or user.session.method, now=now, auth_time=auth_time
    )
    return True, (yield from end_all(user.account.id, but=renewed)) if alone else []


async def prove_page(
    request: web.Request, site: Site, user: SignedIn, form: Form, back: str, *, status: int = 200
) -> web.Response:
    """The form, with those ways alone that this account has."""
    known = await site.database.read(passkeys_of(user.account.id))
    directory = site.web.oidc
    return render(
        request,
        "prove.html",
        status=status,
        form=form,
        back=back,
        passkeys=bool(known) and party_of(site.web.url, site.agency) is not None,
        directory=directory if directory and directory.issuer == user.account.issuer else None,
    )
