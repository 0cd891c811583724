"""One account, for administrators: who somebody is, what they may do, whether and how they sign in.

What gives somebody more than they had, or shuts them out, wants a sign-in less than five minutes old. Each act is in
account_change, which this page shows.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from gateway.accounts import administer
from gateway.accounts.account import Role
from gateway.accounts.administer import Managed
from gateway.accounts.changes import What, changes
from gateway.accounts.links import LINK_LASTS_S, SETUP_PATH, new_link
from gateway.accounts.register_rows import linked
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.forms import Form, form_of
from gateway.web.manage_account_changes import change_lines, who_did
from gateway.web.manage_accounts import ACCOUNTS_PATH, read_details, role_items
from gateway.web.paths import HOME
from gateway.web.prove import is_fresh, to_prove
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

ACCOUNT: Final = ACCOUNTS_PATH + "/{id:[0-9a-f]{32}}"

_NEWEST: Final = 20  # changes that the page of an account shows

routes = web.RouteTableDef()


async def opened(request: web.Request, site: Site) -> Managed:
    """The account in the address, disabled or not; raises HTTPNotFound."""
    account = await site.database.read(administer.managed(request.match_info["id"], site.now()))
    if account is None:
        raise web.HTTPNotFound
    return account


async def opened_freshly(request: web.Request, site: Site, user: SignedIn) -> Managed:
    """The same; sends off to prove who they are, and back to the account's page, if that was some time ago."""
    account = await opened(request, site)
    if not is_fresh(user, site):
        raise to_prove(path_of(account))
    return account


def path_of(account: Managed) -> str:
    """The address of an account's page."""
    return f"{ACCOUNTS_PATH}/{account.public_id}"


@routes.get(ACCOUNT)
@page(Role.ADMINISTRATOR)
async def show_account(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Everything that administrators may know of it."""
    return await _page(request, site, user, await opened(request, site), Form())


@routes.get(ACCOUNT + "/details")
@page(Role.ADMINISTRATOR)
async def show_details(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Name, job role and how to reach them, to be changed."""
    account = await opened(request, site)
    fields = {"name": account.name, "job-role": account.job_role, "email": account.email, "phone": account.phone}
    return _details_page(request, account, Form(fields={name: [text] for name, text in fields.items()}))


@routes.post(ACCOUNT + "/details")
@page(Role.ADMINISTRATOR)
async def change_details(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Store them."""
    account = await opened(request, site)
    form = form_of(request)
    name, job_role, email, phone = read_details(form)
    if form.errors:
        return _details_page(request, account, form, status=400)
    work = administer.change_details(
        account, name=name, job_role=job_role, email=email, phone=phone, by=user.id, now=site.now()
    )
    await site.database.write(work)
    raise _done(user, account, What.DETAILS)


@routes.post(ACCOUNT + "/roles")
@page(Role.ADMINISTRATOR)
async def change_roles(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Give and take roles, so that those ticked are left."""
    account = await opened_freshly(request, site, user)
    form = form_of(request)
    wanted = [Role(role) for role in form.choices("roles", [role.value for role in Role])]
    if not await site.database.write(administer.set_roles(account.id, wanted, by=user.id, now=site.now())):
        form.wrong("roles", _("This is the last administrator: first make somebody else one"))
        return await _page(request, site, user, account, form, status=400)
    done = _done(user, account, What.ROLE_GIVEN)
    if account.public_id == user.id and Role.ADMINISTRATOR not in wanted:
        raise web.HTTPSeeOther(HOME)  # the account's page is closed to them now
    raise done


@routes.post(ACCOUNT + "/disable")
@page(Role.ADMINISTRATOR)
async def disable(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Sign somebody out everywhere, and never in again until the account is enabled."""
    account = await opened_freshly(request, site, user)
    ended = await site.database.write(administer.disable(account.id, by=user.id, now=site.now()))
    if ended is None:
        form = form_of(request)
        form.wrong("disable", _("This is the last administrator: first make somebody else one"))
        return await _page(request, site, user, account, form, status=400)
    site.end_sessions(ended)
    raise _done(user, account, What.DISABLED)


@routes.post(ACCOUNT + "/enable")
@page(Role.ADMINISTRATOR)
async def enable(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Let somebody sign in again."""
    account = await opened_freshly(request, site, user)
    await site.database.write(administer.enable(account.id, by=user.id, now=site.now()))
    raise _done(user, account, What.ENABLED)


@routes.post(ACCOUNT + "/link")
@page(Role.ADMINISTRATOR)
async def make_link(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """A new setup link, shown this once."""
    account = await opened_freshly(request, site, user)
    if account.disabled_at is not None:
        raise web.HTTPSeeOther(path_of(account))
    secret = new_link()
    await site.database.write(administer.make_link(account.id, secret, by=user.id, now=site.now()))
    emit("account.changed", account=account.public_id, by=user.id, what=What.LINK_MADE.value)
    return render(
        request,
        "manage_account_link.html",
        account=account,
        account_path=path_of(account),
        link=f"{site.web.url}{SETUP_PATH}{secret}",
        until=site.now() + LINK_LASTS_S,
    )


@routes.post(ACCOUNT + "/second-factor")
@page(Role.ADMINISTRATOR)
async def reset_factor(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Ask somebody for no codes until they set them up anew; they are signed out."""
    return await _end_sessions(request, site, user, administer.reset_factor, What.FACTOR_RESET)


@routes.post(ACCOUNT + "/sign-out")
@page(Role.ADMINISTRATOR)
async def sign_out(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Sign somebody out everywhere."""
    return await _end_sessions(request, site, user, administer.sign_out, What.SIGNED_OUT)


async def _end_sessions(
    request: web.Request, site: Site, user: SignedIn, act: Callable[..., Work[list[str]]], what: What
) -> web.StreamResponse:
    account = await opened_freshly(request, site, user)
    site.end_sessions(await site.database.write(act(account.id, by=user.id, now=site.now())))
    raise _done(user, account, what)


def _done(user: SignedIn, account: Managed, what: What) -> web.HTTPSeeOther:
    emit("account.changed", account=account.public_id, by=user.id, what=what.value)
    return web.HTTPSeeOther(path_of(account))


def _details_page(request: web.Request, account: Managed, form: Form, *, status: int = 200) -> web.Response:
    return render(
        request,
        "manage_account_details.html",
        status=status,
        form=form,
        account=account,
        account_path=path_of(account),
    )


async def _page(
    request: web.Request, site: Site, user: SignedIn, account: Managed, form: Form, *, status: int = 200
) -> web.Response:
    rows = await site.database.read(linked(account.id))
    lines = await site.database.read(changes(limit=_NEWEST + 1, account_id=account.id))
    return render(
        request,
        "manage_account.html",
        status=status,
        form=form,
        account=account,
        account_path=path_of(account),
        own=account.public_id == user.id,
        rows=rows,
        roles=role_items([given.role.value for given in account.roles]),
        given=[(each.role, who_did(each.by, each.by_name), each.at) for each in account.roles],
        lines=change_lines(lines[:_NEWEST]),
        more=len(lines) > _NEWEST,
    )
