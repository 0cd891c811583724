"""A coordinator adds a client for a volunteer who was typed in (register.py), as that volunteer would themselves.

The warning of a duplicate comes where one in add_client.py would, and is on record. But a coordinator has no clients by
being one: of the people who work with that person it names those alone whom coordinators typed in or uploaded.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from gateway.database.contract import Work
from gateway.events import emit
from gateway.fhir.bundle import Participation
from gateway.node.native import NATIVE, reference
from gateway.node.register import TypedWorker, typed_service_ids, typed_workers, workers_rows
from gateway.web.add_client import Known, doing_of, known_as, may_describe, store_client, typed_fields
from gateway.web.colleague_view import colleague
from gateway.web.forms import Form, form_of
from gateway.web.looking import looker
from gateway.web.register import PATH, ROLES
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.subject_form import subject_of
from gateway.web.words import gettext as _
from gateway.wire.query import Subject

ADD: Final = PATH + "/clients/add"

routes = web.RouteTableDef()


@routes.get(ADD)
@page(*ROLES)
async def show_form(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """An empty form."""
    return _form_page(request, Form(), *await site.database.read(_offered()))


@routes.post(ADD)
@page(*ROLES)
async def add_client(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Store them with that colleague's work, unless they seem to be known and nobody has said who they are."""
    form = form_of(request)
    workers, services = await site.database.read(_offered())
    chosen = form.choice("colleague", [each.key for each in workers], missing=_("Select who works with them"))
    doing = doing_of(form, services)
    subject = subject_of(form, site.today())
    if subject is None or form.errors:
        return _form_page(request, form, workers, services, status=400)
    if not await may_describe(site, user, subject, form):
        return _form_page(request, form, workers, services, status=429)
    known, named = await site.database.read(_known(site, user, subject))
    answer = form.choice("known", ("same", "new"))
    if known is not None and known.team.record is not None and answer != "new":  # seen, or joined unseen
        await site.looks.put_on_record(looker(user), known.team.record, known.reason)
    if known is not None and not answer:
        return render(
            request,
            "add_client_known.html",
            typed=[*typed_fields(form), ("colleague", chosen)],
            mine=known.mine,
            for_colleague=True,
            people=[colleague(each) for each in named],
            name=form.value("name"),
        )
    joins = None
    if known is not None and answer == "same":
        joins = known.mine if known.mine is not None else known.team.record
    await site.node.database.write(store_client(site, reference(NATIVE, chosen), subject, doing, joins))
    emit("client.added_for_colleague", account=user.id, colleague=chosen, known=joins is not None)
    raise web.HTTPSeeOther(f"{PATH}?saved")


def _known(site: Site, user: SignedIn, subject: Subject) -> Work[tuple[Known | None, list[Participation]]]:
    """Who is known already, and what is shown of whose work with them."""
    known = yield from known_as(site, user, subject)
    if known is None:
        return None, []
    own = yield from workers_rows()
    team = known.team
    others = [shown for shown, row_id in zip(team.others, team.workers, strict=True) if row_id in own]
    return known, [*(each.shown for each in team.mine), *others]


def _offered() -> Work[tuple[list[TypedWorker], dict[int, str]]]:
    """Whoever works here still, and the services that were typed in."""
    workers = [each for each in (yield from typed_workers()) if not each.left_on]
    return workers, (yield from typed_service_ids())


def _form_page(
    request: web.Request, form: Form, workers: Sequence[TypedWorker], services: Mapping[int, str], *, status: int = 200
) -> web.StreamResponse:
    return render(
        request,
        "add_client.html",
        form=form,
        role=form.value("role"),
        services=services,
        colleagues=workers,
        status=status,
    )
