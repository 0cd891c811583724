"""What colleagues reported as wrong, for managers. A client is a number here, unless the reader works with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.notices import Kind, tell
from gateway.accounts.problems import Outcome, Report, reports, resolve
from gateway.accounts.register_rows import Kind as Row
from gateway.accounts.register_rows import find
from gateway.database.contract import Work
from gateway.node.corrections import names_of
from gateway.node.local_view import own_names
from gateway.web.colleague_view import client_name
from gateway.web.forms import form_of
from gateway.web.looking import own_view
from gateway.web.notice_words import OUTCOMES, PROBLEMS
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from gateway.web.wrong_here import MANAGERS

PATH: Final = "/manage/problems"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One report: what it is about in words, and where that is shown if it may be."""

    id: str
    what: str
    about: str
    link: str
    by: str
    at: float
    outcome: str
    resolved_at: float | None


@routes.get(PATH)
@page(*MANAGERS)
async def show_problems(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Those that are open first."""
    return render(
        request,
        "manage_problems.html",
        lines=await site.database.read(_lines(site, user)),
        outcomes={code.value: _(text) for code, text in OUTCOMES.items()},
        saved="saved" in request.query,
    )


@routes.post(PATH)
@page(*MANAGERS)
async def resolve_problem(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Whoever reported it is told what became of it."""
    form = form_of(request)
    outcome = form.choice("outcome", list(Outcome))
    if not outcome:
        raise web.HTTPBadRequest

    def work() -> Work[bool]:
        now = site.now()
        done = yield from resolve(form.line("report", max_length=32), Outcome(outcome), by=user.account.id, now=now)
        if done is not None:
            yield from tell(
                done.account_id, Kind.PROBLEM, outcome, now=now, alerting=site.alerting, item=done.code.value
            )
        return done is not None

    if not await site.database.write(work()):
        raise web.HTTPNotFound
    raise web.HTTPSeeOther(f"{PATH}?saved")


def _lines(site: Site, user: SignedIn) -> Work[list[Line]]:
    found = yield from reports()
    people = [each.person_id for each in found if each.person_id is not None]
    numbers = yield from names_of(people)
    view = yield from own_view(site, user)
    own = {row_id: client_name(names) for row_id, names in (yield from own_names(people, view)).items()}
    workers: dict[str, str] = {}
    for each in found:
        if each.worker and each.worker not in workers:
            workers[each.worker] = yield from _worker(each.worker)
    return [_line(each, numbers, own, workers) for each in found]


def _worker(reference: str) -> Work[str]:
    """A colleague's name and job role; of a protected name, and of somebody who has gone, the number in the source."""
    source, _colon, key = reference.partition(":")
    row = yield from find(Row.WORKER, source, key)
    return reference if row is None else ", ".join(filter(None, (row.name or reference, row.about)))


def _line(report: Report, numbers: Mapping[int, str], own: Mapping[int, str], workers: Mapping[str, str]) -> Line:
    about, link = workers.get(report.worker, ""), ""
    if report.person_id is not None:
        about = own.get(report.person_id) or numbers.get(report.person_id, "")
        link = f"/clients/{report.person_id}" if report.person_id in own else ""
    return Line(
        id=report.public_id,
        what=_(PROBLEMS[report.code]),
        about=about,
        link=link,
        by=report.by,
        at=report.at,
        outcome=_(OUTCOMES[report.outcome]) if report.outcome else "",
        resolved_at=report.resolved_at,
    )
