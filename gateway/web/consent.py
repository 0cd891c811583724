"""What a client says of sharing: what is on record in words, and recording an agreement, an objection or a withdrawal.

It acts on the very next decision of this agency, and on nobody else's: each page says so and names the others.
"""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.errors import LedgerError
from gateway.accounts.account import Role
from gateway.node.consent_form import PERMITTED, REFUSED
from gateway.node.storage_fault import storage_fault
from gateway.web.client_links import ADDED, CONSENT
from gateway.web.colleague_view import client_name
from gateway.web.consent_form import (
    ENDS,
    KINDS,
    OFFERED_REASONS,
    RECORD,
    STEPS,
    Offer,
    carried,
    empty_form,
    end_of,
    read_steps,
)
from gateway.web.consent_view import OnRecord, glance_of, names_for, on_record, services_to_name, told_today
from gateway.web.consent_words import KINDS as AGENCY_KINDS
from gateway.web.consent_words import LEAST, METHODS, MOST, REASONS, RELATIONS, lines_of, script
from gateway.web.forms import Form, form_of
from gateway.web.leaflet_words import questions
from gateway.web.looking import CLIENT_PATH, Opened, client_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.vocabulary import Mode

MAX_A_DAY: Final = 20  # statements that one account records of one client

_PATH: Final = CLIENT_PATH + CONSENT
_HOW: Final = f"/{{how:{'|'.join(KINDS)}}}"

routes = web.RouteTableDef()


@routes.get(_PATH)
@page(Role.PRACTITIONER)
async def show_consent(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """At a glance, and entry by entry."""
    opened = await client_of(request, site, user)
    found = await on_record(opened, site, user)
    how, said = glance_of(opened, site)
    return _render(
        request,
        site,
        opened,
        "consent.html",
        glance_how=how,
        glance_said=said,
        statements=found.statements,
        added=ADDED in request.query,
    )


@routes.get(_PATH + _HOW)
@page(Role.PRACTITIONER)
async def begin(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The first step."""
    opened = await client_of(request, site, user)
    kind = KINDS[request.match_info["how"]]
    found = await on_record(opened, site, user)
    offer = await _offer(request, site, opened, user)
    return _step(request, site, opened, "who", empty_form(kind), found, offer)


@routes.post(_PATH + _HOW)
@page(Role.PRACTITIONER)
async def go_on(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Another step, or on record: then the page says what became of it."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    wanted = form.choice("go", (*STEPS, RECORD)) or STEPS[0]
    offer = await _offer(request, site, opened, user)
    step, entry = read_steps(form, offer, before=wanted)
    if wanted == RECORD and entry is not None:
        if await _put_on_record(opened, site, user, entry):
            raise web.HTTPSeeOther(f"{request.path}/done")
        form.wrong(RECORD, _("You have recorded too much of this person today. Ask an officer of your agency to do it"))
    return _step(request, site, opened, step, form, await on_record(opened, site, user), offer, entry)


@routes.get(_PATH + _HOW + "/done")
@page(Role.PRACTITIONER)
async def show_done(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """It is on record, if it is; whom to tell besides, and what had left before."""
    opened = await client_of(request, site, user)
    found = await on_record(opened, site, user)
    kind = KINDS[request.match_info["how"]]
    latest = next((each for each in found.statements if each.mine and each.kind is kind), None)
    if latest is None:
        raise web.HTTPSeeOther(opened.path + CONSENT)
    return _render(
        request, site, opened, "consent_done.html", kind=kind, latest=latest, left=_left(found, opened, site)
    )


async def _put_on_record(opened: Opened, site: Site, user: SignedIn, entry: ConsentEntry) -> bool:
    """Under the row at which the viewer's own work stands, so that it stays with that row; False if it is too much."""
    said = replace(entry, recorded_by=user.id, given_on=site.today().isoformat())
    async with site.turns.of(f"consent {user.id}"):
        if (await on_record(opened, site, user)).today >= MAX_A_DAY:
            return False
        try:
            await site.node.ledger.record(opened.client.person_id, said)
        except LedgerError as error:
            raise storage_fault(error) from error
    return True


async def _offer(request: web.Request, site: Site, opened: Opened, user: SignedIn) -> Offer:
    kind = KINDS[request.match_info["how"]]
    services = await site.database.read(services_to_name(opened, kind))
    mine = [each.giver.reference for each in opened.team.consents if each.recorded_by == user.id]
    return Offer(
        kind=kind,
        names=replace(names_for(opened, site), services=services),
        references=[each for each in mine if each],
        today=site.today(),
    )


def _step(
    request: web.Request,
    site: Site,
    opened: Opened,
    step: str,
    form: Form,
    found: OnRecord,
    offer: Offer,
    entry: ConsentEntry | None = None,
) -> web.Response:
    kind, names = offer.kind, offer.names
    shown: dict[str, Any] = {}
    if entry is not None:
        told = told_today(entry, site)
        shown = {"lines": lines_of(entry, names, own=True), "script": script(entry, names, site.agency, told)}
    return _render(
        request,
        site,
        opened,
        f"consent_{step}.html",
        status=400 if form.errors else 200,
        form=form,
        kind=kind,
        step=step,
        here=request.path,
        hidden=carried(form, step),
        methods=METHODS,
        relations=RELATIONS,
        modes={each.code: (MOST if kind is ConsentKind.CONSENT else LEAST)[each] for each in _modes(kind)},
        agency_kinds=AGENCY_KINDS,
        reasons={each: REASONS[each] for each in OFFERED_REASONS},
        services=names.services,
        ends={code: (text, end_of(site.today(), months)) for code, (text, months) in ENDS.items()},
        left=_left(found, opened, site) if kind is ConsentKind.WITHDRAWAL else (),
        **shown,
    )


def _modes(kind: ConsentKind) -> tuple[Mode, ...]:
    return PERMITTED if kind is ConsentKind.CONSENT else REFUSED


def _left(found: OnRecord, opened: Opened, site: Site) -> list[tuple[float, str, str]]:
    """When, to whom, how much."""
    members = names_for(opened, site).members
    return [(each.at, members.get(each.member, each.member), _(MOST[each.mode])) for each in found.left]


def _render(
    request: web.Request, site: Site, opened: Opened, template: str, *, status: int = 200, **context: Any
) -> web.Response:
    return render(
        request,
        template,
        status=status,
        name=client_name(opened.client.names),
        client_path=opened.path,
        consent_path=opened.path + CONSENT,
        members=names_for(opened, site).members,
        questions=questions(site.agency),
        **context,
    )
