"""Accepting a member, or a change of one, after its officer has read out its key over the telephone.

The end of each new key is not shown: whoever accepts types what the other side reads out. What is accepted is the
document that was looked at, and no newer one.
"""

from typing import Final

from aiohttp import web

from gateway.errors import FederationError
from gateway.events import emit
from gateway.fhir.text import plain
from gateway.web.federation import ACCEPTS, CHANGES, PATH, UNSEEN, keys_of, kind_of, waiting_for
from gateway.web.forms import Form, form_of
from gateway.web.prove import is_fresh, to_prove
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from gateway.wire.acceptance import PendingChange
from gateway.wire.federation import Member
from gateway.wire.keys import fingerprint

ACCEPT_PATH: Final = PATH + "/accept/{member}"
AS_OF: Final = "as-of"
ASKED: Final = "asked"

routes = web.RouteTableDef()


@routes.get(ACCEPT_PATH)
@page(*ACCEPTS)
async def show_waiting(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What waits, and the form."""
    member, changes = _waiting(request, site)
    _prove(site, user, member)
    return _page(request, site, member, changes, Form())


@routes.post(ACCEPT_PATH)
@page(*ACCEPTS)
async def accept(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Accept it as it was shown."""
    member, changes = _waiting(request, site)
    _prove(site, user, member)
    form = form_of(request)
    for place, expected in enumerate(_expected(member, changes, site)):
        read_out = "".join(form.line(_field(place), missing=_("Enter what they read out")).split()).casefold()
        if read_out and read_out != expected:
            form.wrong(
                _field(place), _("This is not the end of the key that is listed here. Stop, and tell the operator.")
            )
    if not form.ticked(ASKED):
        form.wrong(ASKED, _("Confirm that you asked the agency itself"))
    if not form.errors:
        try:
            await site.node.membership.accept(member.id, as_of=form.raw(AS_OF) or "-")
        except FederationError:
            form.wrong(ASKED, _("A newer member list has come meanwhile. Look at it again."))
    if form.errors:
        return _page(request, site, member, changes, form, status=400)
    emit("federation.accepted", federation=site.node.me.federation, member=member.id, account=user.id)
    raise web.HTTPSeeOther(PATH)


def _waiting(request: web.Request, site: Site) -> tuple[Member, tuple[PendingChange, ...]]:
    """The member of the address, if something of it waits."""
    member = site.members.get(request.match_info["member"])
    changes = () if member is None else waiting_for(site, member.id)
    if member is None or not changes:
        raise web.HTTPNotFound
    return member, changes


def _prove(site: Site, user: SignedIn, member: Member) -> None:
    if not is_fresh(user, site):
        raise to_prove(ACCEPT_PATH.format(member=member.id))


def _expected(member: Member, changes: tuple[PendingChange, ...], site: Site) -> list[str]:
    """The ends of the keys that wait, in the order of the form."""
    keys = keys_of(member, changes, site.now())
    ends = ("".join(fingerprint(each.key.jwk()).split()[-UNSEEN:]) for each in member.keys)
    return [end for key, end in zip(keys, ends, strict=True) if key.waits]


def _field(place: int) -> str:
    return f"key-{place}"


def _page(
    request: web.Request, site: Site, member: Member, changes: tuple[PendingChange, ...], form: Form, status: int = 200
) -> web.Response:
    received = site.node.membership.received
    return render(
        request,
        "federation_accept.html",
        status=status,
        form=form,
        name=plain(member.name),
        kind=kind_of(member),
        member_id=member.id,
        changes=[_(CHANGES[change.kind]) for change in changes],
        keys=[key for key in keys_of(member, changes, site.now()) if key.waits],
        as_of="" if received is None else received.sha256,
    )
