"""`patchwork ledger withhold` and `allow`: an officer decides, on record, whether reports show an entry."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from consent_ledger.governance import ReportDecision
from gateway.cli.officer import By, Reason, noted
from gateway.cli.options import CLOCK, Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.errors import InputError
from gateway.reports.why import entry_words
from gateway.reports.withholding import Exemption, check_withheld_until, in_a_report
from gateway.settings import NodeSettings

Seq = Annotated[int, typer.Argument(min=0, help="The entry's number.")]


def withhold(
    seq: Seq,
    config: Config,
    federation: InFederation,
    reason: Annotated[Exemption, typer.Option(help="The exemption that you rely on.")],
    until: Annotated[str, typer.Option(help="The last day, YYYY-MM-DD; at most a year ahead.")],
    by: By = "",
    yes: Yes = False,
) -> None:
    """Leave an entry out of the client's reports until a day, without a trace in them."""
    today = datetime.fromtimestamp(CLOCK.now(), UTC).astimezone().date()
    try:
        last = date.fromisoformat(until)
    except ValueError:
        raise InputError("--until: a day is YYYY-MM-DD") from None
    try:
        check_withheld_until(last, today)
    except InputError as error:
        raise InputError(f"--until: {error}") from None
    by = noted(by, "--by", "Who decides")
    decision = ReportDecision(about=seq, show=False, reason=reason.value, by=by, until=last.isoformat())
    question = f"Leave it out of the client's reports until {last}?"
    place = run(_decide(node_of(config, federation), decision, question, yes=yes))
    typer.echo(f"Reports leave entry {seq} out until {last}. On record as entry {place}.")


def allow(
    seq: Seq, config: Config, federation: InFederation, by: By = "", reason: Reason = "", yes: Yes = False
) -> None:
    """Let the client's reports show an entry that was withheld or held back."""
    decision = ReportDecision(
        about=seq,
        show=True,
        by=noted(by, "--by", "Who decides"),
        reason=noted(reason, "--reason", "Why may it be shown"),
    )
    place = run(_decide(node_of(config, federation), decision, "Show it in the client's reports?", yes=yes))
    typer.echo(f"Reports show entry {seq} from now on. On record as entry {place}.")


async def _decide(settings: NodeSettings, decision: ReportDecision, question: str, *, yes: bool) -> int:
    async with opened(settings) as node:
        entry, person_id = await in_a_report(node.parts.ledger, decision.about)
        assert entry.body is not None  # noqa: S101 - in_a_report() has seen to it
        typer.echo(f"Entry {entry.seq}: {entry_words(entry.body)}", err=True)
        ask_first(question, yes=yes)
        return (await node.parts.ledger.note(decision, person_id)).seq
