"""How to reach somebody, as they say it themselves: contact points in order of preference, when they work, away and
cover; and what others see of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.node.choosing import colleagues_of
from gateway.node.disclose import show
from gateway.node.native import references_to
from gateway.node.overlays import MAX_CONTACT_POINTS, Absence, Reach, Said, say_away, say_reach
from gateway.node.team import TeamMember, cover_of, practitioner_alone
from gateway.web.colleague_view import Colleague, colleague
from gateway.web.contact_fields import contact_value
from gateway.web.forms import Form, form_of
from gateway.web.looking import own_view
from gateway.web.own_row import own_rows
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.model import MAX_FREE_TEXT, ContactPoint
from mappings.vocabulary import Mode

PATH: Final = "/me"
_SYSTEMS: Final = {"phone": N_("Phone"), "sms": N_("Text message"), "email": N_("Email")}
_PLACES: Final = range(1, MAX_CONTACT_POINTS + 1)

# What others may be let see of one's work with a client, from least to most (docs/policy.md).
_PREVIEWS: Final = (
    (Mode.DUTY_CONTACT, N_("Agencies that may only know where to ask")),
    (Mode.PRACTITIONER, N_("Agencies that may know who works with a person")),  # dates of contact are a client's
)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Details:
    """What the register has of somebody now, and whom they may name as cover; `me` is None without a row there."""

    me: TeamMember | None
    cover: int | None
    colleagues: Mapping[int, str]


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_details(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What is on record, to be changed, and what others see of it."""
    details = await site.database.read(_details(site, user))
    return _details_page(
        request, site, _filled(details, site.today().isoformat()), details, saved="saved" in request.query
    )


@routes.post(PATH + "/reach")
@page(Role.PRACTITIONER)
async def save_reach(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Contact points and working pattern, from now on and whatever the agency's own system says."""
    form = form_of(request)
    points = _points(form)
    pattern = form.line("pattern", max_length=MAX_FREE_TEXT)
    if not points:
        form.wrong("value-1", _("Enter at least one way to reach you"))
    if form.errors:
        details = await site.database.read(_details(site, user))
        return _details_page(request, site, form, details, status=400)
    rows = await own_rows(site, user)
    reach = Reach(contact_points=points, working_pattern=pattern)
    await site.node.database.write(say_reach(rows, reach, said=Said(by=user.id, at=site.now())))
    raise web.HTTPSeeOther(f"{PATH}?saved")


@routes.post(PATH + "/away")
@page(Role.PRACTITIONER)
async def save_away(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Away until a day, with somebody who stands in or without; or here."""
    form = form_of(request)
    details = await site.database.read(_details(site, user))
    until = None
    if form.choice("away", ("yes", "no"), missing=_("Select whether you are away")) == "yes":
        until = form.date("until", missing=_("Enter the last day on which you are away"))
        if until is not None and until < site.today():
            form.wrong("until", _("The last day on which you are away must be today or later"))
    cover = form.choice("cover", [str(row_id) for row_id in details.colleagues])
    if form.errors:
        return _details_page(request, site, form, details, status=400)
    rows = await own_rows(site, user)

    def work() -> Work[None]:
        named = yield from references_to("practitioner", [int(cover)] if cover else [])
        absence = None
        if until is not None:
            absence = Absence(until=until.isoformat(), cover=next(iter(named.values()), None))
        yield from say_away(rows, absence, said=Said(by=user.id, at=site.now()))

    await site.node.database.write(work())
    raise web.HTTPSeeOther(f"{PATH}?saved")


def _details(site: Site, user: SignedIn) -> Work[_Details]:
    own = user.local.practitioner_ids
    me = (yield from practitioner_alone(min(own), today=site.today().isoformat())) if own else None
    cover = (yield from cover_of(min(own))) if own else None
    return _Details(me=me, cover=cover, colleagues=(yield from colleagues_of((yield from own_view(site, user)))))


def _points(form: Form) -> tuple[ContactPoint, ...]:
    """The rows that are filled in, in their order; each is checked to be something that can be called or written to."""
    points: list[ContactPoint] = []
    for place in _PLACES:
        field = f"value-{place}"
        system = form.choice(f"system-{place}", _SYSTEMS)
        if not system and form.line(field):
            form.wrong(field, _("Select whether this is a phone number or an email address"))
        elif value := contact_value(form, field, system):
            points.append(ContactPoint(system=system, value=value, rank=len(points) + 1))
    return tuple(points)


def _filled(details: _Details, today: str) -> Form:
    """The fields as they stand on record; an absence that is over is none."""
    who = details.me.practitioner if details.me is not None else None
    if who is None:
        return Form()
    fields = {"pattern": who.working_pattern, "away": "no"}
    ranked = sorted(who.contact_points, key=lambda point: point.rank)[:MAX_CONTACT_POINTS]
    for place, point in enumerate(ranked, 1):
        fields |= {f"system-{place}": point.system, f"value-{place}": point.value}
    if who.away_until and who.away_until >= today[: len(who.away_until)]:
        fields |= {"away": "yes", "cover": str(details.cover or "")}
        for part, text in zip(("year", "month", "day"), who.away_until.split("-"), strict=False):
            fields[f"until-{part}"] = text.lstrip("0")
    return Form(fields={name: [text] for name, text in fields.items()})


def _places(form: Form) -> Sequence[int]:
    """As many rows as are filled in, and one more; two at least."""
    filled = [place for place in _PLACES if form.value(f"value-{place}")]
    return _PLACES[: max([2, *(place + 1 for place in filled)])]


def _details_page(
    request: web.Request, site: Site, form: Form, details: _Details, *, saved: bool = False, status: int = 200
) -> web.Response:
    return render(
        request,
        "my_details.html",
        form=form,
        status=status,
        saved=saved,
        systems=_SYSTEMS,
        places=[(place, _order(place)) for place in _places(form)],
        colleagues=details.colleagues,
        previews=_previews(details.me, site.today().isoformat()),
    )


# As many as MAX_CONTACT_POINTS.
_ORDER: Final = (N_("Best way"), N_("Second way"), N_("Third way"), N_("Fourth way"), N_("Fifth way"))


def _order(place: int) -> str:
    return _(_ORDER[place - 1])


def _previews(me: TeamMember | None, today: str) -> list[tuple[str, Colleague]]:
    if me is None:
        return []
    role = me.practitioner.role if me.practitioner else ""
    member = replace(me, involvement=replace(me.involvement, role=role))
    return [(_(text), colleague(show(member, mode, today))) for mode, text in _PREVIEWS]
