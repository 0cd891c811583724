"""Signing in with a login and a password, then with a code where the account has a second factor (second_factor.py).

Whatever is wrong, the page says the same after the same work, so that nobody learns which logins there are: (1) the
try is counted against login and address, together and each; (2) one hash, that of nobody if the login is unknown; (3) a
new session under a new token, if the password is still the one that was checked, and the old session, if there was
one, ends.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web

from gateway.accounts.account import MAX_LOGIN, Account, folded
from gateway.accounts.passkey_proof import party_of
from gateway.accounts.passwords import MAX_LENGTH
from gateway.accounts.personas import personas
from gateway.accounts.sessions import Session, begin, end, new_token
from gateway.accounts.store import account_by_login, same_password
from gateway.accounts.throttle import PER_ADDRESS, PER_LOGIN, PER_LOGIN_ANYWHERE, Limited, begin_try, forgive
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.address import address_of, device_of
from gateway.web.forms import Form, form_of
from gateway.web.paths import HOME, own_path
from gateway.web.render import render
from gateway.web.session_cookie import forget_login, just_set, set_session
from gateway.web.signed_in import SIGN_IN_PATH, USER, open_page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.vocabulary import AuthMethod

CODE_PATH = "/sign-in/code"

routes = web.RouteTableDef()


@routes.get(SIGN_IN_PATH)
@open_page
async def show_sign_in(request: web.Request, site: Site) -> web.StreamResponse:
    """The form, filled in after a password was set; who is signed in already goes on."""
    back = own_path(request.query.get("next", HOME))
    if USER in request:
        raise web.HTTPSeeOther(back)
    login = just_set(request, secure=site.web.secure)
    form = Form(fields={"login": [login]} if login else {})
    response = await sign_in_page(request, site, form, back, password_set=bool(login))
    if login:
        forget_login(response, secure=site.web.secure)
    return response


@routes.post(SIGN_IN_PATH)
@open_page
async def sign_in(request: web.Request, site: Site) -> web.StreamResponse:
    """Check login and password, and begin a session."""
    form = form_of(request)
    back = own_path(form.raw("next"))
    login = form.line("login", max_length=MAX_LOGIN, missing=_("Enter your login"))
    password = form.raw("password")
    if not password:
        form.wrong("password", _("Enter your password"))
    if form.errors:
        return await sign_in_page(request, site, form, back, status=400)
    # (1)
    address = address_of(request, site.web)
    of_both = Limited(site.key.name("login", f"{address} {folded(login)}"), PER_LOGIN)
    of_login = Limited(site.key.name("login-anywhere", folded(login)), PER_LOGIN_ANYWHERE)
    of_address = Limited(site.key.name("address", address), PER_ADDRESS)
    tried_at = site.now()
    if not await site.database.write(begin_try((of_both, of_login, of_address), tried_at)):
        emit("sign_in.refused", reason="too-many")
        form.wrong("login", _("Too many tries. Wait 15 minutes, then try again."))
        return await sign_in_page(request, site, form, back, status=429)
    # (2)
    account = await site.database.read(account_by_login(login))
    right = await site.passwords.verify(
        account.password if account else None,
        password[: MAX_LENGTH + 1],
        account=of_both.key,
        address=of_address.key,
    )
    if account is None or not right:
        return await _refuse_wrong(request, site, form, back)
    # (3)
    await site.database.write(forgive(of_both, tried_at, shared=(of_login, of_address)))
    old = request.get(USER)
    begun = await start_session(
        request,
        site,
        account,
        method=AuthMethod.PASSWORD,
        back=back,
        still=lambda: same_password(account),
        instead_of=old.session if old else None,
        awaits_code=account.totp_secret is not None,
    )
    if begun is None:
        return await _refuse_wrong(request, site, form, back)
    raise begun


async def start_session(
    request: web.Request,
    site: Site,
    account: Account,
    *,
    method: AuthMethod,
    back: str,
    still: Callable[[], Work[bool]],
    instead_of: Session | None,
    awaits_code: bool = False,
    auth_time: float | None = None,
) -> web.HTTPSeeOther | None:
    """A new session under a new token in place of this browser's old one, and where to go from here.

    `still` is asked in the same transaction whether what was proved still holds: None, and nobody is signed in, if not.
    A password that is set, or an account that is disabled, meanwhile must not leave a session behind that ends nowhere.
    `auth_time`: when they proved who they are, if that was not just now.
    """
    token = new_token()

    def replace() -> Work[bool]:
        if not (yield from still()):
            return False
        if instead_of is not None:
            yield from end(instead_of)
        yield from begin(
            token,
            account.id,
            method=method,
            now=site.now(),
            awaits_code=awaits_code,
            device=device_of(request),
            auth_time=auth_time,
        )
        return True

    if not await site.database.write(replace()):
        emit("sign_in.refused", reason="changed-meanwhile")
        return None
    if instead_of is not None:
        site.end_session(instead_of.public_id)
    if not awaits_code:
        emit("sign_in.succeeded", account=account.public_id, method=method.value)
    response = web.HTTPSeeOther(f"{CODE_PATH}?{urlencode({'next': back})}" if awaits_code else back)
    set_session(response, token, secure=site.web.secure)
    return response


async def _refuse_wrong(request: web.Request, site: Site, form: Form, back: str) -> web.StreamResponse:
    emit("sign_in.refused", reason="wrong")
    form.wrong("login", _("The login or the password is not right"))
    return await sign_in_page(request, site, form, back, status=401)


async def sign_in_page(
    request: web.Request, site: Site, form: Form, back: str, *, status: int = 200, password_set: bool = False
) -> web.Response:
    """All ways in that these pages have: the same for everybody. `password_set`: they come from a setup link."""
    return render(
        request,
        "sign_in.html",
        status=status,
        form=form,
        back=back,
        password_set=password_set,
        passkeys=party_of(site.web.url, site.agency) is not None,
        directory=site.web.oidc,
        personas=await site.database.read(personas()) if site.web.demo else (),
    )
