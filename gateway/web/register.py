"""What a charity without a case system types in, from one page: the agency itself, its services, its people."""

from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.node.register import (
    TypedService,
    TypedWorker,
    own_organisation,
    save_organisation,
    typed_services,
    typed_workers,
)
from gateway.web.contact_fields import contact_value
from gateway.web.forms import Form, form_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.model import MAX_TEXT, ContactPoint, Organisation

PATH: Final = "/manage/register"
ROLES: Final = (Role.MANAGER, Role.ADMINISTRATOR)
KEY: Final = "{key:[0-9a-f]{32}}"

routes = web.RouteTableDef()


@routes.get(PATH)
@page(*ROLES)
async def show_register(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Everything that was typed in here, and nothing that came from elsewhere."""

    def work() -> Work[tuple[Organisation | None, list[TypedService], list[TypedWorker]]]:
        return (yield from own_organisation()), (yield from typed_services()), (yield from typed_workers())

    own, services, workers = await site.database.read(work())
    return render(
        request,
        "register.html",
        own=own,
        services=services,
        service_names={each.key: each.name for each in services},
        workers=workers,
        saved="saved" in request.query,
        sources=[each.name for each in site.settings.source],
        may_add_accounts=user.has(Role.ADMINISTRATOR),
    )


@routes.get(PATH + "/organisation")
@page(*ROLES)
async def show_organisation(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The agency's name and duty phone."""
    own = await site.database.read(own_organisation())
    fields = {"name": [site.agency], "phone": [""]}
    if own is not None:
        fields = {"name": [own.name], "phone": [point.value for point in own.duty_contact] or [""]}
    return render(request, "register_organisation.html", form=Form(fields=fields))


@routes.post(PATH + "/organisation")
@page(*ROLES)
async def save_own(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Keep them."""
    form = form_of(request)
    name = form.line("name", max_length=MAX_TEXT, missing=_("Enter the name of your organisation"))
    phone = contact_point(form, "phone", "phone")
    if form.errors:
        return render(request, "register_organisation.html", form=form, status=400)
    await site.node.database.write(save_organisation(site.node.me.federation, name, phone))
    raise web.HTTPSeeOther(f"{PATH}?saved")


def contact_point(form: Form, field: str, system: str, *, use: str = "work", rank: int = 1) -> tuple[ContactPoint, ...]:
    """One field of a form as a way to reach somebody that can be called or written to; empty if it is."""
    value = contact_value(form, field, system)
    return (ContactPoint(system=system, value=value, use=use, rank=rank),) if value else ()
