"""Household and family of a client: who belongs with them, and saying so of two of one's own clients."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.node.household import MAX_RELATED, Related, household_of, link, may_be_linked, unlink
from gateway.node.native import native_source
from gateway.web.colleague_view import client_name
from gateway.web.forms import Form, form_of
from gateway.web.looking import CLIENT_PATH, Opened, client_of, looker
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_, day
from gateway.web.words import gettext as _
from mappings.vocabulary import PersonLinkKind

PATH: Final = CLIENT_PATH + "/household"
KIND_WORDS: Final = {
    PersonLinkKind.HOUSEHOLD: N_("Same household"),
    PersonLinkKind.FAMILY: N_("Family"),
}

routes = web.RouteTableDef()


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_household(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Whom one may see of those who belong with this client."""
    opened = await client_of(request, site, user)
    return await _page(request, site, opened, await related_to(opened, site, user), Form())


@routes.post(PATH)
@page(Role.PRACTITIONER)
async def add_link(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Say that another client of one's own belongs with this one."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    person_id = opened.client.person_id
    others = await site.database.read(may_be_linked(person_id, opened.view))
    related = await related_to(opened, site, user)
    other = form.choice("other", [str(each) for each in others], missing=_("Select one of your clients"))
    kind = form.choice("kind", list(PersonLinkKind), missing=_("Select how they belong together"))
    if len(related) >= MAX_RELATED and not any(str(each.mine) == other for each in related):
        form.wrong("other", _("No more people can be linked with this client"))
    if form.errors:
        return await _page(request, site, opened, related, form, status=400)

    def work() -> Work[None]:
        source = yield from native_source(site.node.me.federation)
        yield from link(source, person_id, int(other), PersonLinkKind(kind))

    await site.node.database.write(work())
    raise web.HTTPSeeOther(f"{opened.path}/household?saved")


@routes.post(PATH + "/remove")
@page(Role.PRACTITIONER)
async def remove_link(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Take back a link between two of one's own clients that was made on a page; any other is left alone."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    keys = [
        key
        for each in await related_to(opened, site, user)
        if each.mine is not None and str(each.mine) == form.raw("other")
        for kind, made in each.made.items()
        if kind == form.raw("kind")
        for key in made
    ]
    if not keys:
        raise web.HTTPNotFound

    def work() -> Work[None]:
        source = yield from native_source(site.node.me.federation)
        yield from unlink(source, keys)

    await site.node.database.write(work())
    raise web.HTTPSeeOther(f"{opened.path}/household?saved")


async def related_to(opened: Opened, site: Site, user: SignedIn) -> Sequence[Related]:
    """Who belongs with a client, by name; seeing somebody who is not one's own client is a look, and on record."""
    found = await site.database.read(household_of(opened.client.person_id, opened.team, opened.view))
    for each in found:
        if each.mine is None:
            await site.looks.put_on_record(looker(user), each.person_id, opened.view.reason)
    return sorted(found, key=lambda each: (client_name(each.names).casefold(), each.person_id))


async def _page(
    request: web.Request, site: Site, opened: Opened, related: Sequence[Related], form: Form, status: int = 200
) -> web.Response:
    others = await site.database.read(may_be_linked(opened.client.person_id, opened.view))
    offered = {
        person_id: client_name(names) + (f", {_('born %(day)s') % {'day': day(born)}}" if born else "")
        for person_id, (names, born) in others.items()
    }
    return render(
        request,
        "household.html",
        status=status,
        form=form,
        name=client_name(opened.client.names),
        client_path=opened.path,
        related=[(each, client_name(each.names)) for each in related],
        others=dict(sorted(offered.items(), key=lambda each: (each[1].casefold(), each[0]))),
        kinds=KIND_WORDS,
        saved="saved" in request.query,
    )
