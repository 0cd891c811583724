"""The leaflet, for everybody and with what one client said: as a page to print, as PDF, and in easy words."""

from aiohttp import web

from gateway.accounts.account import Role
from gateway.fhir.text import plain
from gateway.reports.document import Document
from gateway.web.client_links import CONSENT
from gateway.web.consent_view import glance_of, objects_to_all, on_record
from gateway.web.leaflet_words import leaflet
from gateway.web.looking import CLIENT_PATH, client_of
from gateway.web.pdf import pdf_is_installed, pdf_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import day

PATH = "/leaflet"
_OF_CLIENT = CLIENT_PATH + CONSENT + PATH
_FILE = "leaflet.pdf"
_MOST_STATEMENTS = 3  # the newest, which are what counts

routes = web.RouteTableDef()


@routes.get(PATH)
@page()
async def show_leaflet(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """For handing over beforehand."""
    return _page(request, _general(site), back="/")


@routes.get(PATH + ".pdf")
@page()
async def give_leaflet(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The same as PDF."""
    return await _pdf(request, _general(site))


@routes.get(PATH + "/easy-read")
@page()
async def show_easy_leaflet(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The same in easy words."""
    return _easy(request, site, how="", back=PATH)


@routes.get(_OF_CLIENT)
@page(Role.PRACTITIONER)
async def show_clients_leaflet(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """With what this client said, as far as the viewer may know it."""
    document = await _of_client(request, site, user)
    return _page(request, document, back=request.path.removesuffix(PATH))


@routes.get(_OF_CLIENT + ".pdf")
@page(Role.PRACTITIONER)
async def give_clients_leaflet(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The same as PDF."""
    return await _pdf(request, await _of_client(request, site, user))


@routes.get(_OF_CLIENT + "/easy-read")
@page(Role.PRACTITIONER)
async def show_clients_easy_leaflet(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The same in easy words."""
    opened = await client_of(request, site, user)
    how, _ = glance_of(opened, site)
    nothing = objects_to_all(opened, site)
    return _easy(request, site, how=how, nothing=nothing, back=f"{opened.path}{CONSENT}{PATH}")


def _general(site: Site) -> Document:
    return leaflet(site.agency, _others(site), day(site.today()), ())


async def _of_client(request: web.Request, site: Site, user: SignedIn) -> Document:
    opened = await client_of(request, site, user)
    found = await on_record(opened, site, user, handed_over=True)
    said = [(each, day(each.day)) for each in found.statements[:_MOST_STATEMENTS]]
    nothing = objects_to_all(opened, site)
    return leaflet(site.agency, _others(site), day(site.today()), said, nothing=nothing)


def _others(site: Site) -> list[str]:
    return [plain(each.name) for each in site.other_members()]


def _page(request: web.Request, document: Document, *, back: str) -> web.Response:
    return render(request, "leaflet.html", document=document, back=back, here=request.path, has_pdf=pdf_is_installed())


def _easy(request: web.Request, site: Site, *, how: str, back: str, nothing: bool = False) -> web.Response:
    return render(request, "leaflet_easy.html", how=how, back=back, nothing=nothing, others=_others(site))


async def _pdf(request: web.Request, document: Document) -> web.Response:
    if not pdf_is_installed():
        return render(request, "pdf_missing.html", status=404, back=request.path.removesuffix(".pdf"))
    return await pdf_of(document, _FILE)
