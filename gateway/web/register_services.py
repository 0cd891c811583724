"""Services, typed in: what kind, whom to call, how confidential; one that nobody works for can be removed."""

from typing import Final

from aiohttp import web

from gateway.errors import InputError
from gateway.node.native import new_key
from gateway.node.register import TypedService, remove_service, save_service, typed_services
from gateway.web.forms import Form, form_of
from gateway.web.register import KEY, PATH, ROLES, contact_point
from gateway.web.render import render
from gateway.web.service_kinds import SERVICE_KINDS
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.model import MAX_TEXT
from mappings.vocabulary import Sensitivity

SERVICES: Final = PATH + "/services"
SENSITIVITIES: Final = (
    (Sensitivity.NORMAL, N_("Not confidential"), N_("Others may be told, as the agreement says")),
    (
        Sensitivity.RESTRICTED,
        N_("Confidential"),
        N_("Others are told only with the person's own agreement for this service"),
    ),
    (Sensitivity.VERY_RESTRICTED, N_("Very confidential"), N_("Like confidential, and agreements mostly leave it out")),
)

routes = web.RouteTableDef()


@routes.get(SERVICES + "/add")
@page(*ROLES)
async def show_new(request: web.Request, _site: Site, _user: SignedIn) -> web.StreamResponse:
    """An empty form."""
    return _form_page(request, Form(fields={"sensitivity": [Sensitivity.NORMAL.value]}), None)


@routes.post(SERVICES + "/add")
@page(*ROLES)
async def add_service(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Keep it under a key that stays."""
    return await _save(request, site, None)


@routes.get(f"{SERVICES}/{KEY}")
@page(*ROLES)
async def show_service(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """What was typed of it."""
    service = await _service(request, site)
    fields = {
        "name": [service.name],
        "code": [service.code],
        "phone": [point.value for point in service.duty_contact if point.system == "phone"],
        "email": [point.value for point in service.duty_contact if point.system == "email"],
        "sensitivity": [service.sensitivity.value],
    }
    return _form_page(request, Form(fields={name: values or [""] for name, values in fields.items()}), service)


@routes.post(f"{SERVICES}/{KEY}")
@page(*ROLES)
async def change_service(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Replace it."""
    return await _save(request, site, await _service(request, site))


@routes.post(f"{SERVICES}/{KEY}/remove")
@page(*ROLES)
async def remove(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Remove it, unless there is work for it."""
    service = await _service(request, site)
    removed = await site.node.database.write(remove_service(site.node.me.federation, service.key))
    if not removed:
        form = Form()
        form.wrong("name", _("People work with clients for this service, so it cannot be removed"))
        return _form_page(request, form, service, status=409)
    raise web.HTTPSeeOther(f"{PATH}?saved")


async def _service(request: web.Request, site: Site) -> TypedService:
    key = request.match_info["key"]
    found = [each for each in await site.database.read(typed_services()) if each.key == key]
    if not found:
        raise web.HTTPNotFound
    return found[0]


async def _save(request: web.Request, site: Site, before: TypedService | None) -> web.StreamResponse:
    form = form_of(request)
    name = form.line("name", max_length=MAX_TEXT, missing=_("Enter the name of the service"))
    code = form.choice("code", SERVICE_KINDS, missing=_("Select what kind of service it is"))
    phone = contact_point(form, "phone", "phone")
    email = contact_point(form, "email", "email", rank=2)
    if not (phone or email):
        form.wrong("phone", _("Enter a phone number or an email address for this service"))
    allowed = [each.value for each, _text, _about in SENSITIVITIES]
    chosen = form.choice("sensitivity", allowed, missing=_("Select how confidential this service is"))
    if form.errors:
        return _form_page(request, form, before, status=400)
    service = TypedService(
        key=before.key if before else new_key(),
        name=name,
        code=code,
        duty_contact=phone + email,
        sensitivity=Sensitivity(chosen),
    )
    try:
        await site.node.database.write(save_service(site.node.me.federation, service))
    except InputError:
        form.wrong("name", _("There are too many services already"))
        return _form_page(request, form, before, status=409)
    raise web.HTTPSeeOther(f"{PATH}?saved")


def _form_page(
    request: web.Request, form: Form, service: TypedService | None, *, status: int = 200
) -> web.StreamResponse:
    return render(
        request,
        "register_service.html",
        form=form,
        service=service,
        kinds=SERVICE_KINDS,
        sensitivities=[(each.value, _(text), _(about)) for each, text, about in SENSITIVITIES],
        status=status,
    )
