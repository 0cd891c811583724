"""The weekly report on what somebody should ask about: practitioners and entries by number, and no client.

It reads the whole week, and so goes on by itself (background.py), for the officer who asked for it alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Final

from aiohttp import web

from consent_ledger.reader import LedgerReader
from gateway.accounts.account import Role
from gateway.accounts.store import account_names, names_by_public_id
from gateway.database.contract import Database
from gateway.errors import TooManyRequests
from gateway.fhir.text import plain
from gateway.matching.score import Thresholds
from gateway.node.misuse_report import WeeklyReport, habits_of, weekly_report
from gateway.policy.misuse import Item, Pattern
from gateway.reports.misuse_words import MEANS
from gateway.web.background import Job
from gateway.web.forms import Form, form_of
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import day
from gateway.web.words import gettext as _

PATH: Final = "/manage/misuse"
KIND: Final = "misuse"  # of background work
WEEK: Final = "week"
WEEKS: Final = 12  # to choose from
MAX_LISTED: Final = 50  # entries of one item that are linked
AT_A_TIME: Final = 2  # reports that are made in the whole node

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The record and the register through the pages' own reader."""

    ledger: LedgerReader
    database: Database
    thresholds: Thresholds


@routes.get(PATH)
@page(Role.GOVERNANCE)
async def show_misuse(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The form, and the report that was made last in this session."""
    return await _page(request, site, user, Form())


@routes.post(PATH)
@page(Role.GOVERNANCE)
async def begin_report(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Have a week's report made."""
    form = form_of(request)
    chosen = form.choice(WEEK, _weeks(site), missing=_("Select a week"))
    if not form.errors:
        monday = date.fromisoformat(chosen)
        try:
            earlier = site.background.latest(KIND, owner=user.session.public_id)
            job = site.background.start(
                KIND, partial(_report, site, monday), owner=user.session.public_id, most=AT_A_TIME
            )
            if earlier is not None and earlier is not job:
                site.background.stop(earlier)  # nobody looks at it again
        except TooManyRequests:
            form.wrong(WEEK, _("Other reports are being made: wait a minute, then try again"))
    if form.errors:
        return await _page(request, site, user, form)
    raise web.HTTPSeeOther(PATH)


async def _report(site: Site, monday: date, _job: Job) -> WeeklyReport:
    table = site.settings.misuse
    accounts = await site.database.read(account_names())
    return await weekly_report(
        _Read(ledger=site.record, database=site.database, thresholds=site.node.thresholds),
        monday=monday,
        staff=[*(practitioner.name for practitioner in site.settings.practitioner), *accounts],
        habits=habits_of(table),
        contact_within_days=table.contact_within_days,
    )


def _weeks(site: Site) -> dict[str, str]:
    """The last weeks by their Monday, the newest first; the last whole one is the second."""
    today = datetime.fromtimestamp(site.now(), habits_of(site.settings.misuse).zone).date()
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=ago) for ago in range(WEEKS)]
    return {each.isoformat(): _("From %(day)s") % {"day": day(each)} for each in mondays}


def _span(monday: date) -> str:
    return _("%(first)s to %(last)s") % {"first": day(monday), "last": day(monday + timedelta(days=6))}


async def _page(request: web.Request, site: Site, user: SignedIn, form: Form) -> web.StreamResponse:
    job = site.background.latest(KIND, owner=user.session.public_id)
    report: WeeklyReport | None = None if job is None else job.result
    items: Sequence[Item] = () if report is None else report.items
    names = await site.database.read(names_by_public_id([item.practitioner for item in items]))
    weeks = _weeks(site)
    return render(
        request,
        "misuse.html",
        status=400 if form.errors else 200,
        form=form,
        job=job,
        report=report,
        span="" if report is None else _span(report.monday),
        groups=[
            (_(MEANS[pattern]), [_line(item, site, names) for item in items if item.pattern is pattern])
            for pattern in Pattern
            if any(item.pattern is pattern for item in items)
        ],
        weeks=weeks,
        usual=list(weeks)[1],
    )


def _line(item: Item, site: Site, names: Mapping[str, str]) -> Mapping[str, Any]:
    """Ids come from other members, and may hold anything."""
    ours = item.member == site.node.me.member
    member = site.members.get(item.member)
    return {
        "who": plain(names.get(item.practitioner, item.practitioner) if ours else item.practitioner),
        "where": "" if ours else plain(item.member if member is None else member.name),
        "asked_here": item.asked_here,
        "count": len(item.entries),
        "entries": item.entries[:MAX_LISTED],
    }
