"""Next and last contact, where no system of the agency's tells of them: a kind, a day, and nothing of what was said."""

from datetime import date
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.node.native import native_source
from gateway.node.own_contacts import (
    KINDS,
    MAX_OWN,
    MOST_YEARS_AHEAD,
    MOST_YEARS_BACK,
    OwnContact,
    OwnContacts,
    own_contacts,
    remove_contact,
    save_contact,
)
from gateway.web.colleague_view import client_name, kind_words
from gateway.web.forms import Form, form_of
from gateway.web.looking import CLIENT_PATH, Opened, client_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _

PATH: Final = CLIENT_PATH + "/contact"
ONE_PATH: Final = PATH + "/{key:[0-9a-f]{32}}"
_WHEN: Final = {"past": N_("It has taken place"), "planned": N_("It is planned")}

routes = web.RouteTableDef()


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_contacts(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What one has entered, and a form for one more."""
    opened = await client_of(request, site, user)
    return await _page(request, site, user, opened, Form())


@routes.post(PATH)
@page(Role.PRACTITIONER)
async def add_contact(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Enter one more."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    known = await site.database.read(own_contacts(opened.client.person_id, user.local.practitioner_ids))
    contact = _read(form, site.today())
    if len(known.entered) >= MAX_OWN:
        form.wrong("kind", _("Remove an old contact first: as many as can be kept are here"))
    if contact is None or form.errors or not _by_name(opened):
        return await _page(request, site, user, opened, form, status=400)
    await _save(site, user, opened, contact)
    raise web.HTTPSeeOther(f"{opened.path}/contact?saved")


@routes.get(ONE_PATH)
@page(Role.PRACTITIONER)
async def show_contact(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """One that one has entered, to be changed."""
    opened = await client_of(request, site, user)
    contact = await _one(request, site, user, opened)
    year, month, day = contact.day.split("-")
    fields = {"kind": contact.kind, "when": "planned" if contact.planned else "past"}
    fields |= {"on-day": day.lstrip("0"), "on-month": month.lstrip("0"), "on-year": year}
    return _one_page(request, opened, contact, Form(fields={name: [text] for name, text in fields.items()}))


@routes.post(ONE_PATH)
@page(Role.PRACTITIONER)
async def change_contact(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Change it, or take it back."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    contact = await _one(request, site, user, opened)
    if form.ticked("remove"):

        def work() -> Work[None]:
            source = yield from native_source(site.node.me.federation)
            yield from remove_contact(source, contact.key)

        await site.node.database.write(work())
        raise web.HTTPSeeOther(f"{opened.path}/contact?saved")
    changed = _read(form, site.today(), key=contact.key)
    if changed is None:
        return _one_page(request, opened, contact, form, status=400)
    await _save(site, user, opened, changed)
    raise web.HTTPSeeOther(f"{opened.path}/contact?saved")


async def _one(request: web.Request, site: Site, user: SignedIn, opened: Opened) -> OwnContact:
    """One of their own with this very client; 404 for everything else."""
    known = await site.database.read(own_contacts(opened.client.person_id, user.local.practitioner_ids))
    for each in known.entered:
        if each.key == request.match_info["key"]:
            return each
    raise web.HTTPNotFound


async def _save(site: Site, user: SignedIn, opened: Opened, contact: OwnContact) -> None:
    def work() -> Work[None]:
        source = yield from native_source(site.node.me.federation)
        yield from save_contact(
            source, opened.client.person_id, user.local.practitioner_ids, contact, today=site.today()
        )

    await site.node.database.write(work())


def _read(form: Form, today: date, *, key: str = "") -> OwnContact | None:
    kind = form.choice("kind", KINDS, missing=_("Select what kind of contact it is"))
    when = form.choice("when", _WHEN, missing=_("Select whether it has taken place or is planned"))
    day = form.date("on", missing=_("Enter the day"))
    if day is not None and when == "past" and not _years_from(today, -MOST_YEARS_BACK) <= day <= today:
        form.wrong("on", _("A contact that has taken place was today or before, and not long ago"))
    elif day is not None and when == "planned" and not today <= day <= _years_from(today, MOST_YEARS_AHEAD):
        form.wrong("on", _("A planned contact is today or later, and not years ahead"))
    if form.errors or day is None:
        return None
    return OwnContact(key=key, kind=kind, day=day.isoformat(), planned=when == "planned")


def _years_from(today: date, years: int) -> date:
    return today.replace(year=today.year + years, day=min(today.day, 28))  # the day does not matter, 29 February would


def _by_name(opened: Opened) -> bool:
    return any(each.by_name for each in opened.team.mine)


async def _page(
    request: web.Request, site: Site, user: SignedIn, opened: Opened, form: Form, status: int = 200
) -> web.Response:
    known: OwnContacts = await site.database.read(own_contacts(opened.client.person_id, user.local.practitioner_ids))
    return render(
        request,
        "contact.html",
        status=status,
        form=form,
        name=client_name(opened.client.names),
        client_path=opened.path,
        by_name=_by_name(opened),
        known=known,
        kinds=_kinds(),
        when=_WHEN,
        words=kind_words,
        today=site.today().isoformat(),
        saved="saved" in request.query,
    )


def _one_page(request: web.Request, opened: Opened, contact: OwnContact, form: Form, status: int = 200) -> web.Response:
    return render(
        request,
        "contact_change.html",
        status=status,
        form=form,
        name=client_name(opened.client.names),
        client_path=opened.path,
        contact=contact,
        kinds=_kinds(),
        when=_WHEN,
    )


def _kinds() -> dict[str, str]:
    return {kind: kind_words(kind) or _("something else") for kind in KINDS}
