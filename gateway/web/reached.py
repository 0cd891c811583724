"""Did you reach them? Asked after a call or mail link; only times are kept, nobody's name (web/0002_searches.sql)."""

import re
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.node.merge import TeamRow
from gateway.web.figure_counts import Reached
from gateway.web.forms import form_of
from gateway.web.reach import answered, clicked
from gateway.web.render import render
from gateway.web.results import PATH, search_of
from gateway.web.searches import Search
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

ANSWER = "reached"
KIND = "kind"
_KINDS: Final = ("phone", "sms", "email")
_PLACE = re.compile(r"(\d{1,4})-(\d{1,3})", re.ASCII)

routes = web.RouteTableDef()


@routes.get(PATH + "/reach/{place}")
@page(Role.PRACTITIONER)
async def show_question(request: web.Request, site: Site, user: SignedIn) -> web.Response:
    """The question on a page of its own, for browsers without JavaScript."""
    search, row = _professional(request, site, user)
    return _question_page(request, search, row)


@routes.post(PATH + "/reach/{place}")
@page(Role.PRACTITIONER)
async def follow_link(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """A link was followed (then the question comes back), or the page above was answered."""
    search, row = _professional(request, site, user)
    form = form_of(request)
    said = form.choice(ANSWER, list(Reached))
    if "HX-Request" not in request.headers and not said:
        form.wrong(ANSWER, _("Select whether you reached them"))
        return _question_page(request, search, row, status=400)
    kind = form.choice(KIND, _KINDS)
    now = site.now()
    public_id = await site.database.write(clicked(user.account.id, kind=kind, search_at=search.started, now=now))
    if said:
        await site.database.write(answered(user.account.id, public_id, Reached(said), now))
        raise web.HTTPSeeOther(f"/searches/{search.id}")
    return render(request, "reach_asked.html", row=row, reach_id=public_id)


@routes.post("/reached/{id}")
@page(Role.PRACTITIONER)
async def answer(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Whether the link led to anybody; 404 for a link that somebody else followed."""
    said = form_of(request).choice(ANSWER, list(Reached))
    if not said:
        raise web.HTTPBadRequest
    known = await site.database.write(answered(user.account.id, request.match_info["id"], Reached(said), site.now()))
    if not known:
        raise web.HTTPNotFound
    return render(request, "reach_thanks.html", said=said)


def _question_page(request: web.Request, search: Search, row: TeamRow, status: int = 200) -> web.Response:
    return render(request, "reach.html", status=status, form=form_of(request), row=row, search_id=search.id)


def _professional(request: web.Request, site: Site, user: SignedIn) -> tuple[Search, TeamRow]:
    """Whom the address names within a search of this session; 404 where there is none, or no longer."""
    search = search_of(request, site, user)
    place = _PLACE.fullmatch(request.match_info["place"])
    if search is None or place is None:
        raise web.HTTPNotFound
    number, row = int(place[1]), int(place[2])
    if number >= len(search.results) or row >= len(search.results[number].rows):
        raise web.HTTPNotFound
    return search, search.results[number].rows[row]
