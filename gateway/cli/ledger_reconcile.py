"""`patchwork ledger reconcile`: which hub has dropped answers?"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from consent_ledger.exchange import SECONDS_PER_HOUR
from gateway.cli.options import CLOCK, Config, InFederation, first_hour_of, node_of, opened, run
from gateway.errors import HubError, InputError, WireError
from gateway.links.counts_client import fetch_counts
from gateway.node.compare_counts import Compared
from gateway.node.reconcile import Silent, reconcile
from gateway.settings import PLAIN_HTTP_WORDS, NodeSettings

DAYS = 7
MAX_DAYS = 400
_HOURS_PER_DAY = 24

Since = Annotated[str, typer.Option("--since", help=f"From this day on (UTC); the last {DAYS} days without it.")]


def reconcile_counts(config: Config, federation: InFederation, since: Since = "") -> None:
    """Compare with each member how many answers were sent and came; exit code 1 if any did not, or none can say."""
    if run(_reconcile(node_of(config, federation), _first_hour(since, CLOCK.now()))):
        raise typer.Exit(1)


async def _reconcile(settings: NodeSettings, since: int) -> bool:
    """Whether answers are missing, or it cannot be said that none are."""
    open_ = False
    members = 0
    async with opened(settings) as node:
        with suppress(HubError, WireError):  # what is held will do, if it is in force: the hub is under suspicion
            await node.parts.membership.refresh()
        fetch = partial(
            fetch_counts,
            session=node.session,
            me=node.parts.me.member,
            key=node.parts.me.signing_key,
            clock=node.parts.clock,
            plain_http=settings.node.plain_http == PLAIN_HTTP_WORDS,
        )
        async for each in reconcile(since, node=node.parts, fetch=fetch):
            members += 1
            open_ = open_ or not _all_arrived(each)
            for line in _lines(each):
                typer.echo(line)
    if not members:
        typer.echo("Nothing to compare yet: an hour counts 20 minutes after its end, and none has had questions.")
    return open_


def _lines(each: Compared | Silent) -> Iterator[str]:
    if isinstance(each, Silent):
        yield f"{each.member}: no statement: {each.why}"
        return
    yield f"{each.member}: {each.answers} answers sent until {_time(each.until)}; {_verdict(each)}"
    if each.until < each.uncovered:
        yield f"  {_time(each.until)} to {_time(each.uncovered)}: no statement for these hours"
    for gap in each.gaps:
        open_ = f", {gap.unfinished} questions without an end on record" if gap.unfinished else ""
        yield (
            f"  {_time(gap.hour)}: {gap.answerer} answered {gap.answered} questions of {gap.asker},"
            f" {gap.received} arrived{open_}: {gap.missing} missing by the hub at {gap.hub}"
        )
    for said in each.overstated:
        yield (
            f"  {_time(said.hour)}: {said.member} says that it answered {said.answered} questions, and was asked"
            f" {said.asked}: its statement cannot be right, and says nothing about a hub"
        )


def _all_arrived(each: Compared | Silent) -> bool:
    return isinstance(each, Compared) and not (each.gaps or each.overstated or each.until < each.uncovered)


def _verdict(each: Compared) -> str:
    if each.gaps:
        return "SOME DID NOT ARRIVE"
    return "all arrived" if _all_arrived(each) else "not all can be compared"


def _time(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * SECONDS_PER_HOUR, UTC):%Y-%m-%d %H:%M} UTC"


def _first_hour(since: str, now: float) -> int:
    today = int(now) // SECONDS_PER_HOUR
    if not since:
        return today - DAYS * _HOURS_PER_DAY
    hour = first_hour_of(since, "--since")
    if hour > today:
        raise InputError("--since: that day has not begun yet (days begin at midnight UTC)")
    if not today - MAX_DAYS * _HOURS_PER_DAY <= hour:
        raise InputError(f"--since: a day of the last {MAX_DAYS}")
    return hour
