"""The team as a picture: people in the middle, agencies around, lines between those who work together; and as a list.

A client's picture shows this agency, and whom one may see of the household. A search's picture shows the agencies that
were asked as well. Drawn here as SVG, without scripts or styles in it (picture_layout.py says where everything stands).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.node.local_view import LocalTeam
from gateway.node.merge import TeamRow
from gateway.node.results import Asked
from gateway.web.colleague_view import client_name, colleague
from gateway.web.contact_links import Way, ways
from gateway.web.household import related_to
from gateway.web.looking import CLIENT_PATH, my_client, open_client
from gateway.web.picture_layout import MAX_AGENCIES, MAX_PEOPLE, Group, Worker, lay_out
from gateway.web.render import render
from gateway.web.result_view import AgencyLine, State, agency_lines
from gateway.web.results import PATH, search_of
from gateway.web.searches import Search
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_, day
from gateway.web.words import gettext as _
from mappings.vocabulary import MatchGrade

_MORE: Final = N_("and %(number)s more, in the list")
_NOTES: Final = {
    State.WAITING: N_("Being asked"),
    State.NOTHING: N_("Nothing to share"),
    State.SILENT: N_("No answer: phone them"),
    State.EXPIRED: N_("No longer shown"),
}

routes = web.RouteTableDef()


@routes.get(CLIENT_PATH + "/picture")
@page(Role.PRACTITIONER)
async def show_client_picture(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """This agency around a client and their household."""
    person_id = int(request.match_info["id"])
    people, agencies = await _own(site, user, person_id)
    return _page(request, people, agencies, path=f"/clients/{person_id}")


@routes.get(PATH + "/picture")
@page(Role.PRACTITIONER)
async def show_search_picture(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All agencies that a search of this session asked, and one's own if the subject is a client of one's own."""
    search = search_of(request, site, user)
    if search is None or search.asked is None:
        return render(request, "search_gone.html", status=404)
    mine = await my_client(site, user, search.question.subject)
    if mine is None:
        name = next((name.text for name in search.question.subject.names), _("This person"))
        people: list[str] = [name]
        agencies: list[Group] = []
    else:
        people, agencies = await _own(site, user, mine)
    agencies += _others(search, search.asked)
    return _page(request, people, agencies, path=f"/searches/{search.id}", search=search)


async def _own(site: Site, user: SignedIn, person_id: int) -> tuple[list[str], list[Group]]:
    """A client of one's own with those who belong with them, and this agency as one may see it."""
    opened = await open_client(person_id, site, user)
    related = await related_to(opened, site, user)
    people = [client_name(opened.client.names), *(client_name(each.names) for each in related)]
    return people, [_own_agency(site.agency, [opened.team, *(each.team for each in related)])]


def _own_agency(name: str, teams: Iterable[LocalTeam]) -> Group:
    """Each practitioner or duty contact once, with all whom they work with."""
    found: dict[tuple[str, str], Worker] = {}
    for place, team in enumerate(teams):
        shown = [(each.shown, each.by_name) for each in team.mine] + [(each, False) for each in team.others]
        for each, is_me in shown:
            who = colleague(each)
            said = who.name or _("Duty contact")
            key = (said, who.service)
            worker = found.setdefault(
                key,
                Worker(
                    name=_("%(name)s (you)") % {"name": said} if is_me else said,
                    role=", ".join(part for part in (who.role, who.service) if part),
                    away=_away(who.away_until, who.cover),
                    way=None if is_me else _first_way(who.cover_ways if who.away_until else (), who.ways),
                    works_with=(),
                ),
            )
            if place not in worker.works_with:
                found[key] = replace(worker, works_with=(*worker.works_with, place))
    return Group(name=name, workers=tuple(found.values()), own=True)


def _others(search: Search, asked: Asked) -> list[Group]:
    """The agencies asked: those who work with the person first, then those who have nothing to share or are silent."""
    rows = {result.member.id: result.rows for result in search.results}
    order = [State.FOUND, State.WAITING, State.NOTHING, State.EXPIRED, State.SILENT]
    lines = agency_lines(asked, search.results, over=search.over, expired=search.expired)
    return [
        _agency(line, rows.get(line.member, ())) for line in sorted(lines, key=lambda line: order.index(line.state))
    ]


def _agency(line: AgencyLine, rows: Sequence[TeamRow]) -> Group:
    workers = tuple(
        Worker(
            name=row.professional or _("Duty contact"),
            role=", ".join(part for part in (row.role, row.service) if part),
            away=_away(row.away_until, "" if row.cover is None else row.cover.professional),
            way=_first_way(
                ways(row.cover.contact_points) if row.away_until and row.cover is not None else (),
                ways(row.contact_points),
            ),
        )
        for row in rows
    )
    unsure = any(row.grade is not MatchGrade.CERTAIN for row in rows)
    note = _("Probably this person: check before you share") if unsure else _(_NOTES.get(line.state, ""))
    return Group(name=line.name, workers=workers, note=note, unsure=unsure)


def _away(until: str | None, cover: str) -> str:
    if not until:
        return ""
    return _("Away; %(cover)s covers") % {"cover": cover} if cover else _("Away until %(day)s") % {"day": day(until)}


def _first_way(cover: tuple[Way, ...], own: tuple[Way, ...]) -> Way | None:
    """To whoever covers first, as the cards have it; None where nothing makes a link."""
    return next((each for each in (*cover, *own) if each.href), None)


def _page(
    request: web.Request, people: list[str], agencies: list[Group], *, path: str, search: Search | None = None
) -> web.Response:
    return render(
        request,
        "picture.html",
        people=people,
        agencies=agencies,
        about_path=path,
        search=search,
        pictures=[
            ("wide", lay_out(people, agencies, more=_(_MORE), wide=True)),
            ("narrow", lay_out(people, agencies, more=_(_MORE), wide=False)),
        ],
        more_people=max(0, len(people) - MAX_PEOPLE),
        more_agencies=max(0, len(agencies) - MAX_AGENCIES),
    )
