"""Asking other agencies about one's client: the search form, filled in from what the client's own page shows.

Name and birth date alone: a postcode or number that somebody else's system holds is not put before whoever joined the
team by a name. Why one asks is chosen by whoever asks, as always.
"""

from aiohttp import web

from gateway.accounts.account import Role
from gateway.web.asking import offered
from gateway.web.colleague_view import client_name, name_of
from gateway.web.looking import CLIENT_PATH, client_of
from gateway.web.reach import last_reason
from gateway.web.search import form_page
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.subject_form import filled

routes = web.RouteTableDef()


@routes.get(CLIENT_PATH + "/ask")
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The form goes to /search, like any other."""
    opened = await client_of(request, site, user)
    reasons = await offered(site, user)
    chosen = await site.database.read(last_reason(user.account.id))
    names = [name for name in opened.client.names if name_of(name)]
    form = filled(name=client_name(names) if names else "", birth_date=opened.client.birth_date or "")
    return form_page(request, form, reasons, chosen)
