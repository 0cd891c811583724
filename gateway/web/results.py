"""What a search came to, agency by agency as they answer: all that is there at once, then more by a long poll.

Without JavaScript the page is the same and offers to check again. Nothing that stands on it moves (result_view.py).
"""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.node.results import Asked
from gateway.node.results_words import left_out
from gateway.web.asking import offered
from gateway.web.looking import my_client
from gateway.web.reasons import PURPOSES
from gateway.web.render import render
from gateway.web.result_view import agency_lines, is_vague, summary, team_groups
from gateway.web.searches import Search
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.vocabulary import Purpose

PATH = "/searches/{id}"
FIRST_S: Final = 0.4  # until the page shows itself without an answer: longer than nodes delay what is quick
POLL_S: Final = 10.0  # a poll is held this long: shorter than the time after which proxies give up

routes = web.RouteTableDef()


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_results(request: web.Request, site: Site, user: SignedIn) -> web.Response:
    """All that is known now, those whom an agency is certain of first."""
    search = search_of(request, site, user)
    if search is None or search.asked is None:
        return render(request, "search_gone.html", status=404)
    mine = await my_client(site, user, search.question.subject)
    await search.first_word(within_s=FIRST_S)
    emergency = search.question.purpose is not Purpose.BREAK_GLASS and await offered(site, user, Purpose.BREAK_GLASS)
    return render(
        request,
        "results.html",
        subject=search.question.subject,
        purpose=_(PURPOSES[search.question.purpose]),
        agreement=search.asked.agreement,
        left_out=left_out(search.asked, _),
        too_weak=search.asked.sign_in_too_weak,
        emergency=bool(emergency),
        mine=mine,
        **_shown(search, search.asked, 0),
    )


@routes.get(PATH + r"/after/{seen:\d{1,4}}")
@page(Role.PRACTITIONER)
async def show_more(request: web.Request, site: Site, user: SignedIn) -> web.Response:
    """What has come since the first `seen` results, as soon as there is any; parts of the page, for htmx."""
    search = search_of(request, site, user)
    if search is None or search.asked is None:
        raise web.HTTPNotFound
    seen = min(int(request.match_info["seen"]), len(search.results))
    await search.beyond(seen, within_s=POLL_S)
    return render(request, "results_more.html", **_shown(search, search.asked, seen))


def search_of(request: web.Request, site: Site, user: SignedIn) -> Search | None:
    """The search that an address names, if this session made it and its answers may still be shown."""
    return site.searches.get(request.match_info["id"], user.session.public_id)


def _shown(search: Search, asked: Asked, seen: int) -> Mapping[str, Any]:
    """What the page and its parts say; teams and lines of the results after the first `seen`."""
    numbered = list(enumerate(search.results))[seen:]
    lines = agency_lines(asked, search.results, over=search.over, expired=search.expired, translate=_)
    fresh = {result.member.id for _place, result in numbered}
    return {
        "search_id": search.id,
        "groups": team_groups(numbered),
        "lines": lines,
        "fresh": [line for line in lines if line.member in fresh or search.over],
        "summary": summary(asked, search.results, over=search.over),
        "seen": len(search.results),
        "vague": is_vague(search.question.subject),
        "broken": search.broken,
        "coverage_agrees": search.coverage_agrees,
    }
