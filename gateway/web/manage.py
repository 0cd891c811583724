"""The page from which managers, officers, administrators and auditors go to theirs."""

from aiohttp import web

from gateway.accounts.account import Role
from gateway.web.managed import groups_for
from gateway.web.navigation import MANAGE_PATH
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

routes = web.RouteTableDef()


@routes.get(MANAGE_PATH)
@page(Role.MANAGER, Role.GOVERNANCE, Role.ADMINISTRATOR, Role.AUDITOR)
async def show_managed(request: web.Request, _site: Site, user: SignedIn) -> web.StreamResponse:
    """Each page that this account may open, with what it is for."""
    return render(request, "manage.html", groups=groups_for(user))
