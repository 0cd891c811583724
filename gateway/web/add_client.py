"""Adding a client: one short page. Whoever seems to be known already is shown first, as far as one may know them.

The warning of a duplicate says no more than an answer to a question would: who of the people whom one may see works
with somebody of that description; and it is on record like a look at that person's page. Where that is nobody, there is
no warning, whether or not the person is known here: but for a client of the viewer's own whom the viewer's own rows
describe so.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.database.contract import Work
from gateway.events import emit
from gateway.matching.record import asked_of
from gateway.node.directory import listed
from gateway.node.local_view import NOTHING_TO_SEE, LocalTeam, Reason, View, matched_team, my_record
from gateway.node.names import typed_name
from gateway.node.native import native_source, new_key, reference, references_to, store
from gateway.node.own_services import claimed_services, names_of_services, usual_of, vouched_services
from gateway.node.seen_match import own_match, seen_match
from gateway.web.client_links import after_adding
from gateway.web.colleague_view import colleague
from gateway.web.forms import Form, form_of
from gateway.web.looking import looker, own_view
from gateway.web.own_row import own_rows
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.subject_form import fill, subject_of
from gateway.web.words import gettext as _
from gateway.wire.query import Subject
from mappings.model import MAX_TEXT, Address, Identifier, Involvement, Person
from mappings.vocabulary import Sensitivity

PATH: Final = "/clients/add"
NOT_LISTED: Final = 0  # the choice of whoever works for no service that may be named to them
FOUND_BY: Final = "search"  # whose subject the form begins with
_ANSWERS: Final = ("same", "new")

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody of that description, as the viewer may see them; `mine` is the id of their own page of the person."""

    team: LocalTeam
    mine: int | None
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What one does for them: in words, for which service (a row), and whether others need the person's own word."""

    role: str
    service: int | None
    confidential: bool


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """An empty form, or one about whom an earlier search of this session was."""
    search = site.searches.get(request.query.get(FOUND_BY, ""), user.session.public_id)
    form = Form() if search is None else fill(search.question.subject)
    return _form_page(request, form, user, await _services(site, user))


@routes.post(PATH)
@page(Role.PRACTITIONER)
async def add_client(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Store them with one's own involvement, unless they seem to be known and nobody has said who they are."""
    form = form_of(request)
    services = await _services(site, user)
    doing = doing_of(form, services)
    subject = subject_of(form, site.today())
    if subject is None or form.errors:
        return _form_page(request, form, user, services, status=400)
    if not await may_describe(site, user, subject, form):
        return _form_page(request, form, user, services, status=429)
    known = await site.database.read(known_as(site, user, subject))
    answer = form.choice("known", _ANSWERS)
    if known is not None and not answer:
        if known.team.record is not None:
            await site.looks.put_on_record(looker(user), known.team.record, known.reason)
        return _known_page(request, form, known)
    joins = None
    if known is not None and answer == "same":
        if known.mine is not None:
            raise web.HTTPSeeOther(f"/clients/{known.mine}")
        joins = known.team.record
    workers = await own_rows(site, user)

    def work() -> Work[int]:
        own = yield from references_to("practitioner", [min(workers)])
        return (yield from store_client(site, own[min(workers)], subject, doing, joins))

    person_id = await site.node.database.write(work())
    raise web.HTTPSeeOther(after_adding(f"/clients/{person_id}", user))


async def _services(site: Site, user: SignedIn) -> dict[int, str]:
    """Their own services, by row; else those that the directory of colleagues would show them, and none of these.

    Of the latter, those that they have chosen before, if any: that they were once invited into a shielded service's
    work, or have left it, lets nobody choose it.
    """

    def work() -> Work[tuple[dict[int, str], bool]]:
        own = yield from vouched_services(user.local, site.today().isoformat())
        if own:
            return (yield from names_of_services(own)), True
        _, services = yield from listed((yield from own_view(site, user)))
        before = yield from claimed_services(user.local)
        chosen = {row_id: name for row_id, name in services.items() if row_id in before}
        return chosen or services, bool(chosen)

    services, own = await site.database.read(work())
    return services if own else {**services, NOT_LISTED: _("A service that is not in this list")}


async def may_describe(site: Site, user: SignedIn, subject: Subject, form: Form) -> bool:
    """Whether this account may describe one more person today, which counts as a question does; else `form` says so."""
    if await site.guesses.allow(user.id, asked_of(subject, today=site.today())):
        return True
    described_too_often(user, form, "name")
    return False


def described_too_often(user: SignedIn, form: Form, field: str) -> None:
    """Say so in the log and beside this field."""
    emit("guesses.spent", level=logging.WARNING, account=user.id)
    form.wrong(field, _("You have described this person, or people, too often today: go on tomorrow"))


def known_as(site: Site, user: SignedIn, subject: Subject) -> Work[Known | None]:
    """Who is surely meant, if somebody's work with them may be seen; else a client of the viewer's own.

    Each by such rows alone at which the viewer sees something (node/seen_match.py), or the warning, or that there is
    none, would tell what a hidden row says, and that there is one.
    """
    view = yield from own_view(site, user)
    known = yield from _with_others(site, view, subject)
    if known is not None:
        return known
    mine = yield from own_match(subject, view, thresholds=site.node.thresholds)
    return None if mine is None else Known(team=NOTHING_TO_SEE, mine=mine, reason=view.reason)


def _with_others(site: Site, view: View, subject: Subject) -> Work[Known | None]:
    best = yield from seen_match(subject, view, thresholds=site.node.thresholds)
    if best is None:
        return None
    team = yield from matched_team(best.person_id, best.grade, view)
    if not team.others:
        return None
    mine = yield from my_record(best.person_id, view)
    return Known(team=team, mine=mine, reason=view.reason)


def doing_of(form: Form, services: Mapping[int, str]) -> Doing:
    """One service is taken for granted; among several one is chosen."""
    missing = _("Select the service for which you work with them")
    chosen = form.choice("service", [str(row_id) for row_id in services], missing=missing if len(services) > 1 else "")
    only = next(iter(services)) if len(services) == 1 else None
    return Doing(
        role=form.line("role", max_length=MAX_TEXT),
        service=(int(chosen) if chosen else only) or None,
        confidential=form.ticked("confidential"),
    )


def store_client(site: Site, worker: str, subject: Subject, work: Doing, joins: int | None) -> Work[int]:
    """The person, new or (`joins`) the row that is there, and who works with them (SOURCE:KEY); returns its id."""
    source = yield from native_source(site.node.me.federation)
    services = yield from references_to("service", [] if work.service is None else [work.service])
    if joins is None:
        person = _person(subject)
        ids = yield from store(source, person)
        person_id, person_key = ids["person", person.key], reference(source.name, person.key)
    else:
        person_id, person_key = joins, (yield from references_to("person", [joins]))[joins]
    today = site.today().isoformat()
    usual = yield from usual_of(work.service)
    confidential = work.confidential and usual.sensitivity is Sensitivity.NORMAL
    yield from store(
        source,
        Involvement(
            key=new_key(),
            person_key=person_key,
            practitioner_key=worker,
            service_key=next(iter(services.values()), None),
            role=work.role,
            start=today,
            sensitivity=Sensitivity.RESTRICTED if confidential else usual.sensitivity,
            max_mode=usual.max_mode,
            last_confirmed=today,
        ),
    )
    return person_id


def _person(subject: Subject) -> Person:
    return Person(
        key=new_key(),
        names=tuple(typed_name(name.text, use="usual") for name in subject.names),
        birth_date=subject.birth_date,
        addresses=(Address(postcode=subject.postcode),) if subject.postcode else (),
        identifiers=tuple(Identifier(system=system, value=value) for system, value in subject.identifiers),
    )


def _form_page(
    request: web.Request, form: Form, user: SignedIn, services: Mapping[int, str], *, status: int = 200
) -> web.Response:
    role = form.value("role") if "role" in form.fields else user.account.job_role
    return render(request, "add_client.html", form=form, role=role, services=services, status=status)


def _known_page(request: web.Request, form: Form, known: Known) -> web.Response:
    """What was typed goes along in hidden fields: it is in no address, and not kept here."""
    return render(
        request,
        "add_client_known.html",
        typed=typed_fields(form),
        mine=known.mine,
        people=[colleague(each) for each in (*(each.shown for each in known.team.mine), *known.team.others)],
        name=form.value("name"),
    )


def typed_fields(form: Form) -> Sequence[tuple[str, str]]:
    fields = ("name", "born-day", "born-month", "born-year", "postcode", "nhs", "role", "service", "confidential")
    return [(field, form.value(field)) for field in fields if form.value(field)]
