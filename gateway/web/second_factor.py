"""The second step of signing in: a code from an authenticator app, for accounts that have one.

(1) The password was right, not long ago, in this browser; (2) the try is counted against the account; (3) the code is
one that counts now; (4) neither it nor a later one has been used; (5) a new session, under a new token.
"""

from aiohttp import web

from gateway.accounts.account import Account
from gateway.accounts.sessions import Session, holds, session_of
from gateway.accounts.store import account_by_id, same_password, use_totp_step
from gateway.accounts.throttle import PER_CODE, Limited, begin_try, forgive
from gateway.accounts.totp import matching_step
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.forms import Form, form_of
from gateway.web.paths import HOME, own_path
from gateway.web.render import render
from gateway.web.session_cookie import session_token
from gateway.web.sign_in import CODE_PATH, start_session
from gateway.web.signed_in import SIGN_IN_PATH, open_page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.vocabulary import AuthMethod

MAX_CODE = 20  # characters, with the spaces that some apps show

routes = web.RouteTableDef()


@routes.get(CODE_PATH)
@open_page
async def show_code(request: web.Request, site: Site) -> web.StreamResponse:
    """The form for the code."""
    if await _half_way(request, site) is None:
        raise web.HTTPSeeOther(SIGN_IN_PATH)
    return _page(request, Form(), own_path(request.query.get("next", HOME)))


@routes.post(CODE_PATH)
@open_page
async def take_code(request: web.Request, site: Site) -> web.StreamResponse:
    """Check the code, and begin the session in which somebody is signed in."""
    half_way = await _half_way(request, site)  # (1)
    if half_way is None:
        raise web.HTTPSeeOther(SIGN_IN_PATH)
    session, account = half_way
    form = form_of(request)
    back = own_path(form.raw("next"))
    code = form.line("code", max_length=MAX_CODE, missing=_("Enter the code that your app shows"))
    if form.errors:
        return _page(request, form, back, status=400)
    refused = await check_code(site, account, code)
    if refused:
        form.wrong("code", refused)
        return _page(request, form, back, status=401)

    def still() -> Work[bool]:  # whoever ended the sessions of this account, ended this one too
        return (yield from holds(session)) and (yield from same_password(account))

    begun = await start_session(  # (5)
        request, site, account, method=AuthMethod.MFA, back=back, still=still, instead_of=session
    )
    raise begun or web.HTTPSeeOther(SIGN_IN_PATH)


async def check_code(site: Site, account: Account, code: str) -> str:
    """Use up a code of this account's app; what to tell somebody whose code does not count, else nothing."""
    of_code = Limited(site.key.name("code", account.public_id), PER_CODE)
    tried_at = site.now()
    if not await site.database.write(begin_try((of_code,), tried_at)):  # (2)
        emit("sign_in.refused", reason="too-many-codes")
        return _("Too many codes were wrong. Wait 15 minutes, then try again.")
    secret = site.key.open(account.totp_secret or b"", account.public_id)
    step = matching_step(secret, code, tried_at)  # (3)
    if step is None or not await site.database.write(use_totp_step(account.id, step)):  # (4)
        emit("sign_in.refused", reason="wrong-code")
        return _("This code does not count, or has been used. Enter the one that your app shows now.")
    await site.database.write(forgive(of_code, tried_at))
    return ""


async def _half_way(request: web.Request, site: Site) -> tuple[Session, Account] | None:
    token = session_token(request, secure=site.web.secure)

    def work(token: bytes) -> Work[tuple[Session, Account] | None]:
        session = yield from session_of(token, site.session_limits, site.now())
        if session is None or not session.awaits_code:
            return None
        account = yield from account_by_id(session.account_id)
        return None if account is None or account.totp_secret is None else (session, account)

    return None if token is None else await site.database.read(work(token))


def _page(request: web.Request, form: Form, back: str, *, status: int = 200) -> web.Response:
    return render(request, "second_factor.html", status=status, form=form, back=back)
