"""Pages of the tests' own behind the same guards as real ones: they say what was typed, and fail at will."""

import pytest
from aiohttp import web

from gateway.accounts.account import Role
from gateway.errors import InputError, Overloaded
from gateway.web import application
from gateway.web.forms import form_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

routes = web.RouteTableDef()

FAILURES = {"input": InputError("Katherine Bramley"), "busy": Overloaded("too many"), "bug": ValueError("9990000018")}


@routes.get("/probe")
@page(Role.GOVERNANCE)
async def show(request: web.Request, _site: Site, _user: SignedIn) -> web.StreamResponse:
    """A page for governance officers, with the header's form."""
    return render(request, "error.html", heading="Governance only", advice="")


@routes.post("/probe")
@page(Role.GOVERNANCE)
async def take(request: web.Request, _site: Site, _user: SignedIn) -> web.StreamResponse:
    """Says what was typed."""
    form = form_of(request)
    files = [f"{name}={upload.name}:{len(upload.content)}" for name, upload in form.files.items()]
    return render(request, "error.html", heading=form.line("said"), advice=" ".join(files))


@routes.get("/probe/fails/{how}")
@page()
async def fail(request: web.Request, _site: Site, _user: SignedIn) -> web.StreamResponse:
    """Fails."""
    raise FAILURES[request.match_info["how"]]


def probe_routes(patch: pytest.MonkeyPatch) -> None:
    """Add these pages to those of every node that starts from now on."""
    patch.setattr(application, "ROUTES", (*application.ROUTES, routes))
