"""Volunteers and staff, typed in: how to reach them, when they work, for which service; and that somebody has left."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from gateway.errors import InputError
from gateway.node.native import new_key
from gateway.node.overlays import Said
from gateway.node.register import TypedService, TypedWorker, has_left, save_worker, typed_services, typed_workers
from gateway.web.forms import Form, form_of
from gateway.web.register import KEY, PATH, ROLES, contact_point
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.model import MAX_FREE_TEXT, MAX_TEXT

WORKERS: Final = PATH + "/people"

routes = web.RouteTableDef()


@routes.get(WORKERS + "/add")
@page(*ROLES)
async def show_new(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """An empty form."""
    return _form_page(request, Form(), None, await site.database.read(typed_services()))


@routes.post(WORKERS + "/add")
@page(*ROLES)
async def add_worker(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Keep them under a key that stays: an account may be linked to it."""
    return await _save(request, site, None)


@routes.get(f"{WORKERS}/{KEY}")
@page(*ROLES)
async def show_worker(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """What was typed of them."""
    worker = await _worker(request, site)
    points = {(point.system, point.use): point.value for point in reversed(worker.contact_points)}
    fields = {
        "name": worker.name,
        "role": worker.role,
        "phone": points.get(("phone", "work"), ""),
        "mobile": points.get(("phone", "mobile"), ""),
        "email": points.get(("email", "work"), ""),
        "service": worker.service_key,
        "pattern": worker.working_pattern,
    }
    form = Form(fields={name: [value] for name, value in fields.items()})
    return _form_page(request, form, worker, await site.database.read(typed_services()))


@routes.post(f"{WORKERS}/{KEY}")
@page(*ROLES)
async def change_worker(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Replace what is said of them."""
    return await _save(request, site, await _worker(request, site))


@routes.post(f"{WORKERS}/{KEY}/left")
@page(*ROLES)
async def leave(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """They no longer work here: nobody is told from today on that they work with anybody."""
    worker = await _worker(request, site)
    said = Said(by=user.id, at=site.now())
    await site.node.database.write(has_left(site.node.me.federation, worker.key, today=site.today(), said=said))
    raise web.HTTPSeeOther(f"{PATH}?saved")


async def _worker(request: web.Request, site: Site) -> TypedWorker:
    key = request.match_info["key"]
    found = [each for each in await site.database.read(typed_workers()) if each.key == key]
    if not found:
        raise web.HTTPNotFound
    return found[0]


async def _save(request: web.Request, site: Site, before: TypedWorker | None) -> web.StreamResponse:
    form = form_of(request)
    services = await site.database.read(typed_services())
    name = form.line("name", max_length=MAX_TEXT, missing=_("Enter their name"))
    role = form.line("role", max_length=MAX_TEXT, missing=_("Enter their role, like “befriender”"))
    mobile = contact_point(form, "mobile", "phone", use="mobile")
    phone = contact_point(form, "phone", "phone", rank=2)
    email = contact_point(form, "email", "email", rank=3)
    if not (mobile or phone or email):
        form.wrong("mobile", _("Enter at least one way to reach them"))
    service = form.choice("service", [each.key for each in services])
    pattern = form.line("pattern", max_length=MAX_FREE_TEXT)
    if form.errors:
        return _form_page(request, form, before, services, status=400)
    worker = TypedWorker(
        key=before.key if before else new_key(),
        name=name,
        role=role,
        contact_points=mobile + phone + email,
        working_pattern=pattern,
        service_key=service,
    )
    try:
        await site.node.database.write(save_worker(site.node.me.federation, worker))
    except InputError:
        form.wrong("name", _("There are too many people already"))
        return _form_page(request, form, before, services, status=409)
    raise web.HTTPSeeOther(f"{PATH}?saved")


def _form_page(
    request: web.Request,
    form: Form,
    worker: TypedWorker | None,
    services: Sequence[TypedService],
    *,
    status: int = 200,
) -> web.StreamResponse:
    return render(request, "register_worker.html", form=form, worker=worker, services=services, status=status)
