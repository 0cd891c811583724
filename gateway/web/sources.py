"""This agency's own data: how old it is, what the last imports came to, what could not be read; and importing now.

An import runs in a process of its own, which the site is handed (app/import_worker.py), so that answers keep their
time. If it would remove too much, it removes nothing and says so: somebody confirms so many removals, and no more.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.days import DAY_S
from gateway.errors import TooManyRequests
from gateway.fhir.text import plain
from gateway.node.records import MAX_STORED_ISSUES, ImportIssue, Run, last_runs, rejected_of
from gateway.settings import SourceSettings
from gateway.web.background import Job
from gateway.web.csv_file import csv_file
from gateway.web.forms import Form, form_of
from gateway.web.imports import import_of, start_import, under_way
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _

PATH: Final = "/manage/sources"
LOOKS: Final = (Role.ADMINISTRATOR, Role.MANAGER, Role.AUDITOR)
OLD_DAYS: Final = 7  # then the page says so: people change their telephone numbers every week
SHOWN_REASONS: Final = 20
RUN: Final = "run"
SURE: Final = "sure"

OUTCOMES: Final = {
    "running": N_("Under way"),
    "completed": N_("Complete"),
    "held": N_("Complete, but nothing was removed"),
    "failed": N_("Broke off"),
    "interrupted": N_("Overtaken by another import"),
}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One source. `days` is the age of what it gave last, None if it was never read to its end."""

    name: str
    last: Run | None
    days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What could not be used for one reason, in one field: how often, and where first."""

    reason: str
    field: str
    count: int
    where: str


@routes.get(PATH)
@page(*LOOKS)
async def show_sources(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """All of them."""
    lines = [_line(site, each.name, await _runs(site, each)) for each in site.settings.source]
    return render(request, "sources.html", lines=lines, outcomes=OUTCOMES, old=OLD_DAYS)


@routes.get(PATH + "/{name}")
@page(*LOOKS)
async def show_source(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """One with its runs and what could not be read in the last."""
    return await _page(request, site, user, Form())


@routes.post(PATH + "/{name}/import")
@page(Role.ADMINISTRATOR)
async def import_now(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Begin an import, perhaps with removals that were held and looked at."""
    source = _source(request, site)
    form = form_of(request)
    confirmed = 0
    if RUN in form.fields:
        runs = await _runs(site, source)
        if not runs or form.raw(RUN) != str(runs[0].id) or runs[0].outcome != "held":
            form.wrong(SURE, _("Another import has run meanwhile. Look at what it says."))
        elif not form.ticked(SURE):
            form.wrong(SURE, _("Confirm that these records are to be removed"))
        else:
            confirmed = runs[0].held

    async def work(_job: Job) -> None:
        await site.import_apart(site.settings, source.name, confirmed)

    if not form.errors:
        try:
            start_import(site.background, source.name, work)
        except TooManyRequests:
            form.wrong("import", _("An import is under way. Start the next one when it is over."))
    if form.errors:
        return await _page(request, site, user, form, status=400)
    raise web.HTTPSeeOther(f"{PATH}/{source.name}")


@routes.get(PATH + r"/{name}/rejected/{run:\d{1,12}}")
@page(*LOOKS)
async def download_rejected(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """What could not be used in one run: places, fields and reasons; the values stay in the source."""
    runs = await _runs(site, _source(request, site))
    run = next((each for each in runs if str(each.id) == request.match_info["run"]), None)
    if run is None:
        raise web.HTTPNotFound
    issues = await site.database.read(rejected_of(run.id))
    return csv_file(f"not-read-{run.id}", [("place", "field", "reason", "whole_record"), *_cells(issues)])


async def _page(request: web.Request, site: Site, user: SignedIn, form: Form, *, status: int = 200) -> web.Response:
    source = _source(request, site)
    runs = await _runs(site, source)
    last = runs[0] if runs else None
    issues = [] if last is None else await site.database.read(rejected_of(last.id))
    reasons = _by_reason(issues)
    job = import_of(site.background, source.name)
    running = under_way(site.background)
    return render(
        request,
        "source.html",
        status=status,
        form=form,
        line=_line(site, source.name, runs),
        runs=runs,
        outcomes=OUTCOMES,
        reasons=reasons[:SHOWN_REASONS],
        more_reasons=max(0, len(reasons) - SHOWN_REASONS),
        issues=len(issues),
        most_issues=MAX_STORED_ISSUES,
        share=f"{source.max_removal_share:.0%}",
        may_import=user.has(Role.ADMINISTRATOR),
        running=running,
        listed=running not in {each.name for each in site.settings.source},
        broken=job is not None and bool(job.broken),
        old=OLD_DAYS,
    )


def _source(request: web.Request, site: Site) -> SourceSettings:
    """The source of an address; else 404."""
    name = request.match_info["name"]
    found = next((each for each in site.settings.source if each.name == name), None)
    if found is None:
        raise web.HTTPNotFound
    return found


async def _runs(site: Site, source: SourceSettings) -> list[Run]:
    return await site.database.read(last_runs(source.name, site.node.me.federation))


def _line(site: Site, name: str, runs: Sequence[Run]) -> Line:
    whole = next((run for run in runs if run.outcome in {"completed", "held"} and run.finished_at), None)
    days = None if whole is None or whole.finished_at is None else int((site.now() - whole.finished_at) // DAY_S)
    return Line(name=name, last=runs[0] if runs else None, days=None if days is None else max(0, days))


def _by_reason(issues: Sequence[ImportIssue]) -> list[Reason]:
    """The most frequent first."""
    counted = Counter((issue.reason, issue.field) for issue in issues)
    first = {(issue.reason, issue.field): issue.where for issue in reversed(issues)}
    return [
        Reason(reason=plain(reason), field=plain(field), count=count, where=_place(first[reason, field]))
        for (reason, field), count in counted.most_common()
    ]


def _cells(issues: Sequence[ImportIssue]) -> Iterator[tuple[str, str, str, str]]:
    for issue in issues:
        yield (
            _place(issue.where),
            plain(issue.field),
            plain(issue.reason),
            "yes" if issue.whole_record else "no",
        )


def _place(where: str) -> str:
    """A place in a source without the folders of this machine."""
    return plain(re.sub(r"(?:[^\s:]*[/\\])+", "", where))
