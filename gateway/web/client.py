"""A client's page: the team as one may see it, the next and last contact, consent at a glance; and leaving the team."""

from collections.abc import Iterable
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.node.my_clients import remembered
from gateway.node.overlays import Said, leave
from gateway.web.client_links import client_links
from gateway.web.client_seen import note_look
from gateway.web.colleague_view import Colleague, Meeting, client_name, colleague, other_names
from gateway.web.consent_view import glance_of
from gateway.web.looking import CLIENT_PATH, client_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

CLIENTS_PATH: Final = "/clients"

routes = web.RouteTableDef()


@routes.get(CLIENT_PATH)
@page(Role.PRACTITIONER)
async def show_client(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Everybody around one client whom this person may see; on record, and remembered as seen."""
    opened = await client_of(request, site, user)
    await site.database.write(note_look(user.account.id, opened.client.person_id, remembered(opened.team), site.now()))
    mine = [colleague(each.shown) for each in opened.team.mine]
    others = [colleague(each) for each in opened.team.others]
    how, said = glance_of(opened, site)
    return render(
        request,
        "client.html",
        name=client_name(opened.client.names),
        other_names=other_names(opened.client.names),
        born=opened.client.birth_date,
        mine=mine,
        others=sorted(others, key=lambda each: (not each.lead, not each.name)),
        next_visit=_first((each, each.next_visit) for each in (*mine, *others)),
        last_contact=_last((each, each.last_contact) for each in (*mine, *others)),
        consent_how=how,
        consent_said=said,
        client_path=opened.path,
        links=client_links(user, opened.path),
    )


@routes.get(CLIENT_PATH + "/leave")
@page(Role.PRACTITIONER)
async def ask_to_leave(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What leaving means, before it is done."""
    opened = await client_of(request, site, user)
    return render(
        request,
        "client_leave.html",
        name=client_name(opened.client.names),
        client_path=opened.path,
        by_name=any(each.by_name for each in opened.team.mine),
    )


@routes.post(CLIENT_PATH + "/leave")
@page(Role.PRACTITIONER)
async def leave_client(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """They are out of the team at once, and stay out whatever their case system says of the past."""
    opened = await client_of(request, site, user)
    said = Said(by=user.id, at=site.now())
    await site.node.database.write(
        leave(opened.client.person_id, user.local.practitioner_ids, today=site.today(), said=said)
    )
    raise web.HTTPSeeOther(CLIENTS_PATH)


def _first(meetings: Iterable[tuple[Colleague, Meeting | None]]) -> tuple[Colleague, Meeting] | None:
    found = [(who, meeting) for who, meeting in meetings if meeting is not None]
    return min(found, key=lambda each: each[1].day, default=None)


def _last(meetings: Iterable[tuple[Colleague, Meeting | None]]) -> tuple[Colleague, Meeting] | None:
    found = [(who, meeting) for who, meeting in meetings if meeting is not None]
    return max(found, key=lambda each: each[1].day, default=None)
