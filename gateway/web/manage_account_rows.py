"""Which practitioners and services of the register an account is: searched, suggested, linked and unlinked.

Nobody gets clients by being an administrator; whoever is linked to a practitioner gets that one's. So a link to one's
own account is another administrator's to make, where there is another.
"""

from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.administer import Managed
from gateway.accounts.register_rows import (
    LINKED,
    UNLINKED,
    Kind,
    Refused,
    RegisterRow,
    find,
    link,
    linked,
    search,
    suggested,
    unlink,
)
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.forms import Form, form_of
from gateway.web.manage_account import ACCOUNT, opened, opened_freshly, path_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.model import MAX_TEXT

_ROWS: Final = ACCOUNT + "/register"
_MAX_KEY: Final = 1_000  # characters of a source's name or key as forms send it
_KINDS: Final = [kind.value for kind in Kind]

_REFUSED: Final = {
    Refused.TOO_MANY: N_("This account has too many links already"),
    Refused.OWN_ACCOUNT: N_("This is your own account: ask another administrator to link it"),
}

routes = web.RouteTableDef()


@routes.get(_ROWS)
@page(Role.ADMINISTRATOR)
async def show_register(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Who they may be, by name and email address, and a search."""
    return await _page(request, site, await opened(request, site), Form())


@routes.post(_ROWS)
@page(Role.ADMINISTRATOR)
async def search_register(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The first rows that hold what was typed."""
    form = form_of(request)
    form.line("typed", max_length=MAX_TEXT, missing=_("Enter a name, a role or an email address"))
    return await _page(request, site, await opened(request, site), form, status=400 if form.errors else 200)


@routes.post(_ROWS + "/link")
@page(Role.ADMINISTRATOR)
async def link_row(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Link one; told first if somebody else is this practitioner already."""
    account = await opened_freshly(request, site, user)
    form = form_of(request)
    kind, source, key = _chosen(form)
    row = await site.database.read(find(kind, source, key))
    if row is None:
        form.wrong("typed", _("This is not in the register any more"))
        return await _page(request, site, account, form, status=409)
    confirmed = form.ticked("confirmed")
    work = link(account.id, account.public_id, row, by=user.id, confirmed=confirmed, now=site.now())
    outcome = await site.database.write(work)
    if isinstance(outcome, Refused):
        form.wrong("typed", _(_REFUSED[outcome]))
        return await _page(request, site, account, form, status=409)
    if outcome:
        return render(
            request,
            "manage_account_taken.html",
            status=409,
            account=account,
            account_path=path_of(account),
            row=row,
            others=outcome,
        )
    emit("account.changed", account=account.public_id, by=user.id, what=LINKED[kind].value)
    raise web.HTTPSeeOther(path_of(account))


@routes.post(_ROWS + "/unlink")
@page(Role.ADMINISTRATOR)
async def unlink_row(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """End a link; the clients are gone from their pages at the next request."""
    account = await opened_freshly(request, site, user)
    kind, source, key = _chosen(form_of(request))
    if not await site.database.write(unlink(account.id, kind, source, key, by=user.id, now=site.now())):
        raise web.HTTPNotFound
    emit("account.changed", account=account.public_id, by=user.id, what=UNLINKED[kind].value)
    raise web.HTTPSeeOther(path_of(account))


def _chosen(form: Form) -> tuple[Kind, str, str]:
    kind = form.choice("kind", _KINDS)
    if not kind:
        raise web.HTTPBadRequest
    return Kind(kind), form.raw("source")[:_MAX_KEY], form.raw("key")[:_MAX_KEY]


async def _page(request: web.Request, site: Site, account: Managed, form: Form, *, status: int = 200) -> web.Response:
    typed = "" if form.errors else form.value("typed").strip()
    kind = Kind(form.choice("kind", _KINDS) or Kind.WORKER)

    def work() -> Work[tuple[list[RegisterRow], list[RegisterRow], bool]]:
        has = {(row.kind, row.source, row.key) for row in (yield from linked(account.id))}
        likely = yield from suggested(account.name, account.email)
        found, more = (yield from search(kind, typed)) if typed else ((), False)
        return (
            [row for row in likely if (row.kind, row.source, row.key) not in has],
            [row for row in found if (row.kind, row.source, row.key) not in has],
            more,
        )

    likely, found, more = await site.database.read(work())
    return render(
        request,
        "manage_account_rows.html",
        status=status,
        form=form,
        account=account,
        account_path=path_of(account),
        likely=likely,
        typed=typed,
        found=found,
        more=more,
        kind=kind.value,
    )
