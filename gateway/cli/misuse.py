"""`patchwork ledger misuse`: what in a week's questions an officer should look at."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from gateway.cli.options import CLOCK, Config, InFederation, node_of, opened, run
from gateway.cli.wrapped import say
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.node.misuse_report import WeeklyReport, habits_of, weekly_report
from gateway.policy.misuse import Habits, Item, Pattern
from gateway.reports.misuse_words import MEANS
from gateway.settings import NodeSettings

MAX_LISTED = 50  # entries of one item that are listed

Week = Annotated[str | None, typer.Option(help="As in 2026-W47; the last whole week if left out.")]


def misuse(config: Config, federation: InFederation, week: Week = None) -> None:
    """What in a week's questions should be looked at: practitioners and entries by number, and no client."""
    settings = node_of(config, federation)
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
            yield f"{pattern.value}: {MEANS[pattern]}"
            yield from (f"  {_line(item, me)}" for item in items)


def _line(item: Item, me: str) -> str:
    """Ids come from other members, and may hold anything that a terminal would act on."""
    where = "asked here" if item.asked_here else "answered here"
    who = plain(item.practitioner) if item.member == me else f"{plain(item.member)}/{plain(item.practitioner)}"
    listed = ", ".join(str(seq) for seq in item.entries[:MAX_LISTED])
    more = f" and {len(item.entries) - MAX_LISTED} more" if len(item.entries) > MAX_LISTED else ""
    return f"{who}, {where}: {len(item.entries)} (entries {listed}{more})"
