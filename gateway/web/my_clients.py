"""The people whom somebody works with: one line each, what has changed, whom they visit this week."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.finding import holds
from gateway.database.contract import Work
from gateway.node.local_view import View
from gateway.node.my_clients import MAX_CLIENTS, Changed, MyClient, changed, clients_of, visits_ahead
from gateway.node.overlays import Said, confirm
from gateway.web.client_seen import last_looks
from gateway.web.colleague_view import Meeting, client_name, colleague, name_of
from gateway.web.forms import Form, form_of
from gateway.web.looking import CLIENT_PATH, client_of, own_view
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import ngettext
from mappings.model import MAX_TEXT

CLIENTS_PATH: Final = "/clients"
MAX_QUESTIONS: Final = 5  # "are you still working with...?" on one page; the others come when these are answered

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One client in the list. `ask`: it is long ago that anybody said that they still work with them."""

    id: int
    name: str
    born: str | None
    team: int
    changed: str
    next_visit: str | None
    last_contact: str | None
    confirmed: str | None
    since: str | None
    ask: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One of their own visits of the coming week."""

    client: int
    name: str
    meeting: Meeting


_LAST: Final = "9999"  # sorts what has no day behind what has one

# What the list may be sorted by; the first is how it comes.
_SORTS: Final[dict[str, Callable[[Line], object]]] = {
    "name": lambda line: line.name.casefold(),
    "changed": lambda line: (not line.changed, line.name.casefold()),
    "visit": lambda line: (line.next_visit or _LAST, line.name.casefold()),
    "contact": lambda line: (line.last_contact or "", line.name.casefold()),
    "team": lambda line: (-line.team, line.name.casefold()),
    "confirmed": lambda line: (line.confirmed or "", line.name.casefold()),
}


@routes.get(CLIENTS_PATH)
@page(Role.PRACTITIONER)
async def show_clients(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The list; `?sort=` says how."""
    return await _page(request, site, user, typed="", chosen=request.query.get("sort", ""))


@routes.post(CLIENTS_PATH)
@page(Role.PRACTITIONER)
async def find_clients(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Those in whose names stands what was typed, which is in no address; all of them if that is nothing."""
    form = form_of(request)
    typed = form.line("typed", max_length=MAX_TEXT)
    return await _page(request, site, user, typed=typed, chosen=form.raw("sort"), form=form)


async def _page(
    request: web.Request, site: Site, user: SignedIn, *, typed: str, chosen: str, form: Form | None = None
) -> web.Response:
    def work() -> Work[tuple[View, list[MyClient], dict[int, bytes]]]:
        view = yield from own_view(site, user)
        mine = yield from clients_of(view, limit=MAX_CLIENTS + 1)
        return view, mine, (yield from last_looks(user.account.id))

    view, found, looks = await site.database.read(work())
    mine = found[:MAX_CLIENTS]
    sort = chosen if chosen in _SORTS else next(iter(_SORTS))
    ask_before = (site.today() - timedelta(days=site.web.confirm_after_days)).isoformat()
    wanted = [each for each in mine if holds(typed, map(name_of, each.client.names))]
    lines = sorted((_line(each, looks, ask_before) for each in wanted), key=_SORTS[sort])  # type: ignore[arg-type]
    return render(
        request,
        "my_clients.html",
        status=400 if form is not None and form.errors else 200,
        form=form or Form(),
        typed=typed,
        any_client=bool(mine),
        lines=lines,
        ask=[line for line in lines if line.ask][:MAX_QUESTIONS],
        visits=[_visit(client, each_day) for each_day, client in visits_ahead(mine, view)],
        sort=sort,
        more=len(found) > MAX_CLIENTS,
        most=MAX_CLIENTS,
    )


@routes.post(CLIENT_PATH + "/still")
@page(Role.PRACTITIONER)
async def still(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """One tap: they still work with this person."""
    opened = await client_of(request, site, user)
    said = Said(by=user.id, at=site.now())
    await site.node.database.write(
        confirm(opened.client.person_id, user.local.practitioner_ids, today=site.today(), said=said)
    )
    raise web.HTTPSeeOther(CLIENTS_PATH)


def is_long_ago(found: MyClient, ask_before: str) -> bool:
    """Whether to ask "are you still working with this person?": of work that names them, by its newest day."""
    if not any(each.by_name for each in found.team.mine):
        return False
    return max(found.last_confirmed or "", found.start or "") < ask_before


def changed_words(what: Changed) -> str:
    """What has changed, as people say it; "" if nothing has."""
    said = []
    if what.joined:
        said.append(ngettext("%(number)s joined", "%(number)s joined", what.joined) % {"number": what.joined})
    if what.left:
        said.append(ngettext("%(number)s left", "%(number)s left", what.left) % {"number": what.left})
    if what.details:
        text = ngettext("details of %(number)s changed", "details of %(number)s changed", what.details)
        said.append(text % {"number": what.details})
    return ", ".join(said)


def _line(found: MyClient, looks: dict[int, bytes], ask_before: str) -> Line:
    person_id = found.client.person_id
    return Line(
        id=person_id,
        name=client_name(found.client.names),
        born=found.client.birth_date,
        team=found.team.size,
        changed=changed_words(changed(looks[person_id], found.team)) if person_id in looks else "",
        next_visit=found.next_visit,
        last_contact=found.last_contact,
        confirmed=found.last_confirmed,
        since=found.start,
        ask=is_long_ago(found, ask_before),
    )


def _visit(found: MyClient, day: str) -> Visit:
    meetings = (colleague(each.shown).next_visit for each in found.team.mine)
    meeting = next(each for each in meetings if each is not None and each.day == day)
    return Visit(client=found.client.person_id, name=client_name(found.client.names), meeting=meeting)
