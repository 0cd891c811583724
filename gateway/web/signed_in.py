"""Who asks: no page is reached but through `page` or `open_page`.

    @routes.get("/clients/{id}")
    @page(Role.PRACTITIONER)
    async def show_client(request: web.Request, site: Site, user: SignedIn) -> web.Response: ...

`page` (1) finds the session, or sends to the sign-in page; (2) refuses other roles with 403; (3) reads a form that is
posted, bounded, and checks its token; does (1) and (2) again, for a form may come slowly and its sender lose everything
meanwhile; then calls the page. `open_page` does the same for pages that need no account.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.accounts.account import Account, Role
from gateway.accounts.notices import unread
from gateway.accounts.sessions import SEEN_EVERY_S, Session, seen, session_of
from gateway.accounts.store import account_by_id, local_user
from gateway.database.contract import Work
from gateway.node.local import LocalUser
from gateway.web.csrf import check_csrf
from gateway.web.forms import FORM, MAX_FORM_BYTES, read_form
from gateway.web.session_cookie import session_token
from gateway.web.site import SITE, Site

SIGN_IN_PATH = "/sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody whose session holds: their account, and the rows of the register that they are in this request."""

    account: Account
    session: Session
    local: LocalUser
    unread: int = 0  # notices that they have not read

    @property
    def id(self) -> str:
        """What stands for them in the ledger and in addresses; never used again for another."""
        return self.account.public_id

    def has(self, *roles: Role) -> bool:
        """Whether they have any of these roles; True without roles."""
        return not roles or not self.account.roles.isdisjoint(roles)


USER = web.RequestKey("user", SignedIn)

Page = Callable[[web.Request, Site, SignedIn], Awaitable[web.StreamResponse]]
OpenPage = Callable[[web.Request, Site], Awaitable[web.StreamResponse]]


def page(*roles: Role, max_bytes: int = MAX_FORM_BYTES) -> Callable[[Page], Handler]:
    """For accounts with any of `roles` (without roles: for every account). `max_bytes`: of a form that is posted."""

    def guard(shown: Page) -> Handler:
        @wraps(shown)
        async def guarded(request: web.Request) -> web.StreamResponse:
            site = request.app[SITE]
            user = await _find_user_with(roles, request, site)  # (1), (2)
            if await _read_posted(request, site, max_bytes):  # (3)
                user = await _find_user_with(roles, request, site)
            return await shown(request, site, user)

        guarded.__dict__["roles"] = frozenset(roles)
        return for_everybody(guarded)

    return guard


def open_page(shown: OpenPage) -> Handler:
    """For everybody who reaches the listener, signed in or not (`request.get(USER)` says)."""

    @wraps(shown)
    async def guarded(request: web.Request) -> web.StreamResponse:
        site = request.app[SITE]
        await find_user(request, site)
        if await _read_posted(request, site, MAX_FORM_BYTES):
            await find_user(request, site)
        return await shown(request, site)

    return for_everybody(guarded)


def for_everybody(handler: Handler) -> Handler:
    """Mark a handler that asks whom it must ask, or that tells everybody the same and changes nothing."""
    handler.__dict__["guarded"] = True
    return handler


def is_guarded(handler: object) -> bool:
    """Whether a handler is marked; application.py takes no other."""
    return "guarded" in getattr(handler, "__dict__", {})


def roles_of(handler: object) -> frozenset[Role] | None:
    """The roles that a page opens for, empty for all; None if it needs no account."""
    roles: frozenset[Role] | None = getattr(handler, "__dict__", {}).get("roles")
    return roles


async def find_user(request: web.Request, site: Site) -> SignedIn | None:
    """Who sent this request, kept in `request[USER]`; None without a session that lasts."""
    token = session_token(request, secure=site.web.secure)
    if token is None:
        return None
    now = site.now()
    user = await site.database.read(_user_of(token, site, now))
    if user is None:
        request.pop(USER, None)
        return None
    if now - user.session.seen_at >= SEEN_EVERY_S:
        await site.database.write(seen(user.session, now))
    request[USER] = user
    return user


@web.middleware
async def know_who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An address that leads nowhere is behind no guard: whoever is signed in keeps the menu there, too."""
    if request.match_info.http_exception is not None:
        await find_user(request, request.app[SITE])
    return await handler(request)


def to_sign_in(request: web.Request) -> web.HTTPException:
    """Off to the sign-in page, and back to this page afterwards if it was only to be looked at."""
    back = f"?next={quote(request.path)}" if request.method == "GET" and request.path != "/" else ""
    where = f"{SIGN_IN_PATH}{back}"
    if "HX-Request" in request.headers:  # htmx would swap the sign-in page into a part of this one
        return web.HTTPNoContent(headers={"HX-Redirect": SIGN_IN_PATH})
    return web.HTTPSeeOther(where)


def _user_of(token: bytes, site: Site, now: float) -> Work[SignedIn | None]:
    session = yield from session_of(token, site.session_limits, now)
    if session is None or session.awaits_code:
        return None
    account = yield from account_by_id(session.account_id)
    if account is None:
        return None
    local = yield from local_user(account.id, session.method)
    return SignedIn(account=account, session=session, local=local, unread=(yield from unread(account.id)))


async def _find_user_with(roles: tuple[Role, ...], request: web.Request, site: Site) -> SignedIn:
    user = await find_user(request, site)
    if user is None:
        raise to_sign_in(request)
    if not user.has(*roles):
        raise web.HTTPForbidden
    return user


async def _read_posted(request: web.Request, site: Site, max_bytes: int) -> bool:
    """Whether there was a form to read."""
    if request.method in {"GET", "HEAD"}:
        return False
    form = await read_form(request, max_bytes)
    check_csrf(request, form, site.web)
    request[FORM] = form
    return True
