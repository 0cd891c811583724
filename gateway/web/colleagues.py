"""Finding colleagues: this agency's own people by name, role or service, and other agencies by their duty contacts.

What is typed is posted, so that nobody's name stands in an address or in a browser's history.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.errors import FederationError
from gateway.fhir.bundle import Participation
from gateway.node.directory import MIN_LETTERS, Page, answers_to, directory, words_of
from gateway.web.colleague_view import Colleague, colleague
from gateway.web.contact_links import Way, way
from gateway.web.forms import Form, form_of
from gateway.web.looking import own_view
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PATH: Final = "/colleagues"
MAX_TYPED: Final = 100
PAGE_SIZE: Final = 20
MAX_PAGES: Final = 50

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Another member of the federation, and its duty contact."""

    name: str
    ways: tuple[Way, ...]


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The services of this agency, other agencies, and nobody by name."""
    return await _page(request, site, user, Form(), ())


@routes.post(PATH)
@page(Role.PRACTITIONER)
async def search(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Who answers to what was typed; `page` counts from 1."""
    form = form_of(request)
    typed = form.line("who", max_length=MAX_TYPED)
    words = words_of(typed)
    if not words:
        form.wrong("who", _("Enter at least %(number)s letters") % {"number": MIN_LETTERS})
    if form.errors:
        return await _page(request, site, user, form, (), status=400)
    number = form.whole("page", least=1, most=MAX_PAGES) or 1
    return await _page(request, site, user, form, words, number=number)


async def _page(
    request: web.Request,
    site: Site,
    user: SignedIn,
    form: Form,
    words: tuple[str, ...],
    *,
    number: int = 1,
    status: int = 200,
) -> web.Response:
    def work() -> Work[Page]:
        view = yield from own_view(site, user)
        return (yield from directory(words, view, start=(number - 1) * PAGE_SIZE, size=PAGE_SIZE))

    found = await site.database.read(work())
    return render(
        request,
        "colleagues.html",
        status=status,
        form=form,
        searched=bool(words),
        people=[_one(each) for each in found.people],
        services=[colleague(each) for each in found.services],
        agencies=_agencies(site, words),
        number=number,
        more=found.more and number < MAX_PAGES,
    )


def _one(shown: tuple[Participation, ...]) -> Colleague:
    """One card of a practitioner, with all their services."""
    cards = [colleague(each) for each in shown]
    services = dict.fromkeys(each.service for each in cards if each.service)
    first = cards[0]
    return Colleague(
        name=first.name,
        role=first.role,
        service=", ".join(services),
        organisation=first.organisation,
        lead=False,
        ways=first.ways,
        working_pattern=first.working_pattern,
        away_until=first.away_until,
        cover=first.cover,
        cover_ways=first.cover_ways,
        since=None,
        last_confirmed=None,
        last_contact=None,
        next_visit=None,
    )


def _agencies(site: Site, words: tuple[str, ...]) -> list[Agency]:
    """Active members besides this one whose names answer to all words; none while no document can be relied on."""
    try:
        federation = site.node.membership.current().federation
    except FederationError:
        return []
    others = [
        member
        for member in federation.active_members()
        if member.id != site.node.me.member and answers_to(member.name, words)
    ]
    return [
        Agency(name=member.name, ways=tuple(way(system, value) for system, value in member.duty_contact))
        for member in sorted(others, key=lambda member: (member.name.casefold(), member.id))
    ]
