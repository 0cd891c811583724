"""How much Patchwork is used: anonymous figures of finished weeks, as a chart and tables, and as a file to evaluate.

What is shown is decided week by week (reports/figures.py). Everything else here, sums and the file, is made from what
is shown and from nothing more, so that no page or file tells what another withholds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.reports.figures import ANSWERED, CONTACT, PEOPLE, REACHED, SEARCHES, TABLES, TEAMS, ShownWeek, shown_week
from gateway.web.csv_file import csv_file
from gateway.web.figure_counts import ROLES, Weeks, finished_weeks, monday
from gateway.web.forms import Form
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_

PATH: Final = "/manage/figures"
FIGURE_ROLES: Final = (Role.MANAGER, Role.GOVERNANCE, Role.AUDITOR, Role.ADMINISTRATOR)
SHOWN_WEEKS: Final = 13
CHANGED: Final = "changed"  # the day from which on the evaluation counts as "after"
COLUMNS: Final = ("week_begins", "side", "figure", "part", "count", "withheld")
FOUND: Final = "found"

# What each part of a table is called, by the table's own heading.
_TABLES: Final = (
    (
        N_("How many agencies worked with the person"),
        dict(zip(TEAMS, (N_("None"), N_("One"), N_("More")), strict=True)),
    ),
    (
        N_("How many of the agencies asked answered"),
        dict(zip(ANSWERED, (N_("All of them"), N_("Some of them"), N_("None of them")), strict=True)),
    ),
    (N_("Did you reach them?"), dict(zip(REACHED, (N_("Yes"), N_("No"), N_("Not yet")), strict=True))),
    (
        N_("From the search to the call or message that reached somebody"),
        dict(zip(CONTACT, (N_("At most 5 minutes"), N_("At most 1 hour"), N_("Longer")), strict=True)),
    ),
)
_ROLES: Final = dict(
    zip(ROLES, (N_("Practitioners"), N_("Managers who also search"), N_("Others who also search")), strict=True)
)

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class Sum:
    """A part added up over the weeks in which it is shown; `weeks` is how many those are."""

    text: str
    count: int
    weeks: int


@routes.get(PATH)
@page(*FIGURE_ROLES)
async def show_figures(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The last finished weeks."""
    return await _page(request, site, Form())


@routes.get(f"{PATH}/export")
@page(*FIGURE_ROLES)
async def export(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """All finished weeks, each marked as before or after a day."""
    form = Form(fields={name: [request.query.get(name, "")[:10]] for name in _boxes()})
    changed = form.date(CHANGED)
    if form.errors:
        return await _page(request, site, form, status=400)
    weeks = await _weeks(site)
    return csv_file("patchwork-figures", [COLUMNS, *(line for week in weeks for line in _lines(week, changed))])


async def _page(request: web.Request, site: Site, form: Form, *, status: int = 200) -> web.Response:
    weeks = (await _weeks(site))[-SHOWN_WEEKS:]
    return render(
        request,
        "figures.html",
        status=status,
        form=form,
        weeks=weeks[::-1],
        most=max((week.searches or 0 for week in weeks), default=0),
        tables=[(text, [_sum(weeks, name, said) for name, said in parts.items()]) for text, parts in _TABLES],
        roles=[_role_sum(weeks, role, said) for role, said in _ROLES.items()],
        least=site.web.small_numbers,
    )


async def _weeks(site: Site) -> list[ShownWeek]:
    """Every week from the first in which anything was counted to the last that is over, oldest first."""
    today = site.today()
    counted: Weeks = await site.database.read(finished_weeks(today))
    if not counted:
        return []
    first = min(counted)
    number = (monday(today) - first).days // 7
    days = [first + timedelta(weeks=each) for each in range(number)]
    return [shown_week(day, counted.get(day, {}), roles=ROLES, least=site.web.small_numbers) for day in days]


def _sum(weeks: Sequence[ShownWeek], name: str, text: str) -> Sum:
    return _added(text, [week.parts[name] for week in weeks])


def _role_sum(weeks: Sequence[ShownWeek], role: str, text: str) -> Sum:
    return _added(text, [week.roles[role] for week in weeks])


def _added(text: str, counts: Sequence[int | None]) -> Sum:
    known = [count for count in counts if count is not None]
    return Sum(text, sum(known), len(known))


def _lines(week: ShownWeek, changed: date | None) -> Iterator[tuple[str, str, str, str, int | None, str]]:
    """One line for each number; docs/pages.md, "Figures", says what the columns hold."""
    day, side = week.begins.isoformat(), _side(week.begins, changed)
    told: list[tuple[str, str, int | None]] = [(SEARCHES, "", week.searches), (PEOPLE, "", week.people)]
    told.append((FOUND, "", week.found))
    told += [(*_split(name), week.parts[name]) for table in TABLES for name in table]
    told += [("searches-by", role, count) for role, count in week.roles.items()]
    yield from ((day, side, figure, part, count, "yes" if count is None else "no") for figure, part, count in told)


def _split(name: str) -> tuple[str, str]:
    figure, _, part = name.partition("-")
    return figure, part


def _side(begins: date, changed: date | None) -> str:
    """A week in which the day falls, unless it begins with it, belongs to neither side."""
    if changed is None:
        return ""
    if begins >= changed:
        return "after"
    return "before" if begins + timedelta(days=7) <= changed else "during"


def _boxes() -> tuple[str, ...]:
    return tuple(f"{CHANGED}-{part}" for part in ("day", "month", "year"))
