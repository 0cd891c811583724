"""To the agency's directory and back (gateway/accounts/oidc.py): signing in, and proving again who one is.

(1) The browser gets a cookie of its own for the journey, and what must come back is kept under it, once, for ten
minutes; (2) it comes back: the try is counted, and the directory's answer checked; (3) the account is that of issuer
and subject, with the roles that the directory gives now; (4) a new session under a new token, as at any sign-in.
"""

from collections.abc import Mapping

from aiohttp import web

from gateway.accounts.directory import NotAdmitted, account_of_subject, admit, read_person
from gateway.accounts.oidc import Begun, Proved, Provider
from gateway.accounts.oidc_fetch import DirectoryFailed
from gateway.accounts.sessions import new_token
from gateway.accounts.store import is_enabled
from gateway.accounts.throttle import PER_ADDRESS, Limited, begin_try, forgive_one
from gateway.events import emit
from gateway.web.address import address_of
from gateway.web.paths import HOME, own_path
from gateway.web.prove import FRESH_S, renew, to_prove
from gateway.web.render import render
from gateway.web.session_cookie import forget_journey, journey_token, set_journey
from gateway.web.sign_in import start_session
from gateway.web.signed_in import SIGN_IN_PATH, USER, open_page
from gateway.web.site import Site

OIDC_PATH = SIGN_IN_PATH + "/oidc"
OIDC_BACK_PATH = OIDC_PATH + "/back"

routes = web.RouteTableDef()


@routes.get(OIDC_PATH)
@open_page
async def go_there(request: web.Request, site: Site) -> web.StreamResponse:
    """Off to the directory; with `again` for somebody who is signed in and proves who they are."""
    provider = _provider(site)
    back = own_path(request.query.get("next", HOME))
    user = request.get(USER)
    again = "again" in request.query
    if user is None and again:
        raise web.HTTPSeeOther(SIGN_IN_PATH)
    if user is not None and not again:
        raise web.HTTPSeeOther(back)
    if user is not None and user.account.issuer != provider.table.issuer:
        raise to_prove(back)
    try:
        url, begun = await provider.begin(back=back, session=user.session.public_id if user else None)
    except DirectoryFailed as failed:
        return _refused(request, site, failed.reason, unreachable=True)
    token = new_token()
    site.journeys.begin(site.key.name("journey", token.hex()).hex(), begun)  # (1)
    response = web.HTTPSeeOther(url)
    set_journey(response, token, secure=site.web.secure)
    raise response


@routes.get(OIDC_BACK_PATH)
@open_page
async def come_back(request: web.Request, site: Site) -> web.StreamResponse:
    """Take the directory's answer."""
    provider = _provider(site)
    token = journey_token(request, secure=site.web.secure)
    begun = None if token is None else site.journeys.take(site.key.name("journey", token.hex()).hex())
    if begun is None:
        return _refused(request, site, "no-journey")
    # Counted apart from passwords: a directory that is down must not keep people from signing in with theirs.
    of_address = Limited(site.key.name("journeys", address_of(request, site.web)), PER_ADDRESS)
    tried_at = site.now()
    if not await site.database.write(begin_try((of_address,), tried_at)):  # (2)
        return _refused(request, site, "too-many")
    try:
        proved = await provider.finish(begun, _said(request))
    except DirectoryFailed as failed:
        return _refused(request, site, failed.reason, unreachable=failed.unreachable)
    await site.database.write(forgive_one(of_address, tried_at))
    if begun.session is not None:
        return await _prove_again(request, site, provider, begun, proved)
    return await _sign_in(request, site, provider, begun, proved)


async def _sign_in(
    request: web.Request, site: Site, provider: Provider, begun: Begun, proved: Proved
) -> web.StreamResponse:
    person = read_person(proved.claims, provider.table)
    account = await site.database.write(admit(person, site.node.me.federation, site.now()))  # (3)
    if isinstance(account, NotAdmitted):
        return _refused(request, site, account.value)
    old = request.get(USER)
    response = await start_session(  # (4)
        request,
        site,
        account,
        method=person.method,
        back=begun.back,
        still=lambda: is_enabled(account),
        instead_of=old.session if old else None,
        # A directory that does not tell may have asked for nothing at all: then nothing opens that wants a fresh proof.
        auth_time=site.now() - FRESH_S if proved.auth_time is None else proved.auth_time,
    )
    if response is None:
        return _refused(request, site, NotAdmitted.DISABLED.value)
    forget_journey(response, secure=site.web.secure)
    raise response


async def _prove_again(
    request: web.Request, site: Site, provider: Provider, begun: Begun, proved: Proved
) -> web.StreamResponse:
    user = request.get(USER)
    if user is None or user.session.public_id != begun.session:
        return _refused(request, site, "no-journey")
    person = read_person(proved.claims, provider.table)
    known = await site.database.read(account_of_subject(person.issuer, person.subject))
    if known is None or known[0] != user.account.id:
        return _refused(request, site, "somebody-else")
    account = await site.database.write(admit(person, site.node.me.federation, site.now()))
    if isinstance(account, NotAdmitted):
        return _refused(request, site, account.value)
    response = web.HTTPSeeOther(begun.back)
    await renew(response, site, user, method=person.method, auth_time=proved.auth_time)
    forget_journey(response, secure=site.web.secure)
    raise response


def _provider(site: Site) -> Provider:
    if site.directory is None:
        raise web.HTTPNotFound
    return site.directory


def _said(request: web.Request) -> Mapping[str, str]:
    """The parameters of the address; what comes twice counts as nothing (RFC 6749, section 3.1)."""
    query = request.query
    return {name: query[name] for name in ("state", "iss", "code", "error") if len(query.getall(name, [])) == 1}


def _refused(request: web.Request, site: Site, reason: str, *, unreachable: bool = False) -> web.Response:
    emit("sign_in.refused", reason=f"directory-{reason}")
    status = 502 if unreachable else 429 if reason == "too-many" else 403
    said = "unreachable" if unreachable else reason
    response = render(request, "no_access.html", status=status, refused=said)
    forget_journey(response, secure=site.web.secure)
    return response
