"""`patchwork ledger misuse`: what in a week's questions an officer should look at."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from gateway.cli.options import CLOCK, Config, opened, run
from gateway.cli.wrapped import say
from gateway.errors import ConfigurationError, InputError
from gateway.fhir.text import plain
from gateway.node.misuse_report import WeeklyReport, weekly_report
from gateway.policy.misuse import Habits, Item, Pattern
from gateway.settings import MisuseTable, NodeSettings, load_node

MAX_LISTED = 50  # entries of one item that are listed

_MEANS = {
    Pattern.ONESELF: "somebody of the asker's own name",
    Pattern.COLLEAGUE: "somebody of the name of one of this agency's practitioners",
    Pattern.FAMILY_NAME: "somebody of the asker's family name",
    Pattern.BURST: "many different people within a short time",
    Pattern.OUT_OF_HOURS: "many different people by night or at a weekend",
    Pattern.NO_CONTACT: "no contact with the person afterwards (asked earlier; the time to wait ended this week)",
    Pattern.BUDGET: "told nothing, because a budget was used up",
}

Week = Annotated[str | None, typer.Option(help="As in 2026-W47; the last whole week if left out.")]


def misuse(config: Config, week: Week = None) -> None:
    """What in a week's questions should be looked at: practitioners and entries by number, and no client."""
    settings = load_node(config)
    habits = habits_of(settings.misuse)
    today = datetime.fromtimestamp(CLOCK.now(), habits.zone).date()
    monday = monday_of(week) if week is not None else today - timedelta(days=today.weekday() + 7)
    report = run(_report(settings, monday, habits))
    for line in lines(report, settings.node.member):
        typer.echo(line)
    if week is None:
        year, number, _ = today.isocalendar()
        say(f"That was the last whole week. The running one as far as it has come: --week {year}-W{number:02}")


async def _report(settings: NodeSettings, monday: date, habits: Habits) -> WeeklyReport:
    async with opened(settings) as node:
        return await weekly_report(
            node.parts,
            monday=monday,
            staff=[practitioner.name for practitioner in settings.practitioner],
            habits=habits,
            contact_within_days=settings.misuse.contact_within_days,
        )


def habits_of(table: MisuseTable) -> Habits:
    """The settings; raises ConfigurationError if this machine does not know the time zone."""
    try:
        zone = ZoneInfo(table.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError("misuse.time_zone: this machine knows no such time zone") from error
    return Habits(
        zone=zone,
        day_starts=table.day_starts,
        day_ends=table.day_ends,
        burst_people=table.people_in_ten_minutes,
        people_out_of_hours=table.people_out_of_hours,
        searches_without_contact=table.searches_without_contact,
    )


def monday_of(week: str) -> date:
    """The first day of an ISO 8601 week; raises InputError."""
    matched = re.fullmatch(r"(\d{4})-W(\d{2})", week, re.ASCII)
    try:
        return date.fromisocalendar(int(matched[1]), int(matched[2]), 1) if matched else date.min.replace(year=0)
    except ValueError:
        raise InputError("--week is a year and a week, as in 2026-W47") from None


def lines(report: WeeklyReport, me: str) -> Iterator[str]:
    """The report as text."""
    year, week, _ = report.monday.isocalendar()
    sunday = report.monday + timedelta(days=6)
    yield f"Week {year}-W{week:02}, {report.monday} to {sunday}: {report.asked} asked, {report.answered} answered here."
    if report.unreadable:
        yield f"{report.unreadable} of its questions can no longer be read: their keys have been destroyed."
    if not report.items:
        yield "Nothing stands out."
    for pattern in Pattern:
        items = [item for item in report.items if item.pattern is pattern]
        if items:
            yield f"{pattern.value}: {_MEANS[pattern]}"
            yield from (f"  {_line(item, me)}" for item in items)


def _line(item: Item, me: str) -> str:
    """Ids come from other members, and may hold anything that a terminal would act on."""
    where = "asked here" if item.asked_here else "answered here"
    who = plain(item.practitioner) if item.member == me else f"{plain(item.member)}/{plain(item.practitioner)}"
    listed = ", ".join(str(seq) for seq in item.entries[:MAX_LISTED])
    more = f" and {len(item.entries) - MAX_LISTED} more" if len(item.entries) > MAX_LISTED else ""
    return f"{who}, {where}: {len(item.entries)} (entries {listed}{more})"
