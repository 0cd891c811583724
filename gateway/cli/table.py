"""What `patchwork search` shows: a table that fills as agencies answer, then who did and did not.

Everything that came from another agency is shown as plain text: no terminal sequence and no markup of it is obeyed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from gateway.node.merge import TeamRow, merge
from gateway.node.results import Asked, Completed, MemberOutcome, MemberResult
from gateway.wire.query import Subject
from mappings.model import ContactPoint

WIDE = 110  # columns of a terminal that hold all five headings

_SYSTEM_WORDS = {"phone": "phone", "sms": "text", "email": "email"}

_SAID = {
    MemberOutcome.TEAMS: "works with this person",
    MemberOutcome.NOTHING_TO_DISCLOSE: "has nothing to share",
    MemberOutcome.TIMEOUT: "did not answer in time",
    MemberOutcome.UNREACHABLE: "could not be reached",
    MemberOutcome.NOT_TRIED: "was not asked: it has not been reachable for a while",
    MemberOutcome.OVERLOADED: "is too busy to answer now",
    MemberOutcome.INVALID_ANSWER: "sent an answer that is not valid: tell the federation's operator",
}


class Progress:
    """A rich renderable that takes each event of ask() and shows all that is known so far."""

    def __init__(self, subject: Subject) -> None:
        self._typed = typed(subject)
        self._asked: Asked | None = None
        self._results: dict[str, MemberResult] = {}
        self._completed: Completed | None = None

    def take(self, event: Asked | MemberResult | Completed) -> None:
        """Add what has just become known."""
        if isinstance(event, Asked):
            self._asked = event
        elif isinstance(event, MemberResult):
            self._results[event.member.id] = event
        else:
            self._completed = event

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The whole screen, from top to bottom."""
        yield Text(f"Who is working with {self._typed}?", style="bold")
        rows = merge(result.rows for result in self._results.values())
        if rows:
            yield _team_table(rows, wide=options.max_width >= WIDE)
        elif self._completed:
            yield Text(
                "No agency has anything to share. That is no proof that nobody works with this person:"
                " an agency may not know them by these details, or may not be allowed to say."
            )
        yield Group(*self._coverage())

    def _coverage(self) -> Iterable[Text]:
        if self._asked is None:
            return
        for member in self._asked.members:
            result = self._results.get(member.id)
            if result is None:
                if self._completed is None:
                    yield Text(f"  … {member.name} is being asked", style="dim")
                continue
            yield _line(result)
        if self._completed:
            total, answered = len(self._completed.results), len(self._completed.answered)
            yield Text(f"{answered} of {total} agencies answered. Question {self._completed.jti}", style="dim")
            for warning in warnings(self._asked):
                yield Text(warning)
            if not self._completed.coverage_agrees:
                yield Text(
                    "The hub's own account differs from what arrived: tell the federation's operator.", style="red"
                )


def warnings(asked: Asked) -> Iterable[str]:
    """Why less may be known than there is to know, in ways that no answer shows."""
    if asked.left_out:
        names = ", ".join(member.name for member in asked.left_out)
        yield f"Not asked, because the agreement ({asked.agreement}) does not let you for this purpose: {names}"
    if asked.sign_in_too_weak:
        yield (
            f"The agreement ({asked.agreement}) wants a stronger sign-in than this command line:"
            " nothing can be answered. Its min_auth would have to be operating-system."
        )


def as_json(completed: Completed) -> str:
    """The same for scripts: one JSON document, one entry per member that was asked."""
    document = {
        "question": completed.jti,
        "coverage_agrees": completed.coverage_agrees,
        "members": [_member_json(result) for result in completed.results],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _team_table(rows: Iterable[TeamRow], *, wide: bool) -> Table:
    """A contact must never be broken over two lines; where the screen is narrow, the role stands below the name."""
    table = Table(show_lines=True, header_style="bold")
    table.add_column("Agency", overflow="fold", min_width=10)
    table.add_column("Professional", overflow="fold", min_width=12)
    if wide:
        table.add_column("Role", overflow="fold")
    table.add_column("Best way to reach", no_wrap=wide, overflow="fold", min_width=13)  # a number stays whole
    table.add_column("Since, contacts", overflow="fold")
    agency = ""
    for row in rows:
        role = Text("\n".join(filter(None, (row.role, row.service, row.organisation))))
        who = _professional(row)
        table.add_row(
            Text(row.agency if row.agency != agency else ""),
            *((who, role) if wide else (Text("\n").join(filter(None, (who, role))),)),
            Text("\n".join(_reach(point) for point in row.contact_points) or "no contact given"),
            Text("\n".join(_dates(row))),
        )
        agency = row.agency
    return table


def _professional(row: TeamRow) -> Text:
    text = Text(row.professional or "Duty contact")
    if row.lead:
        text.append(" (lead)", style="bold")
    return text


def _reach(point: ContactPoint) -> str:
    """A number or address speaks for itself, but for one that takes text messages only."""
    return f"text {point.value}" if point.system == "sms" else point.value


def _dates(row: TeamRow) -> Iterable[str]:
    yield row.since or ""
    if row.last_contact is not None:
        yield f"last {row.last_contact.date}"
    if row.next_visit is not None:
        yield f"next {row.next_visit.date}"


def _line(result: MemberResult) -> Text:
    """One member's part in words; whoever did not answer can still be phoned."""
    text = Text(f"  {'✓' if result.outcome.answered else '✗'} {result.member.name} {_SAID[result.outcome]}")
    if not result.outcome.answered and result.member.duty_contact:
        ways = ", ".join(f"{_SYSTEM_WORDS.get(system, system)} {value}" for system, value in result.member.duty_contact)
        text.append(f"; its duty contact: {ways}")
    return text


def typed(subject: Subject) -> str:
    """What was typed, so that it stands beside what was found."""
    parts = [name.text for name in subject.names]
    if subject.birth_date:
        parts.append(f"born {subject.birth_date}")
    if subject.age is not None:
        parts.append(f"aged {subject.age}")
    if subject.postcode:
        parts.append(subject.postcode)
    parts += [f"NHS number {value}" for _, value in subject.identifiers]
    return ", ".join(parts)


def _member_json(result: MemberResult) -> dict[str, Any]:
    return {
        "member": result.member.id,
        "name": result.member.name,
        "outcome": result.outcome.value,
        "reason": result.reason or None,
        "display_until": result.display_until and datetime.fromtimestamp(result.display_until, UTC).isoformat(),
        "duty_contact": [{"system": system, "value": value} for system, value in result.member.duty_contact],
        "team": [_row_json(row) for row in result.rows],
    }


def _row_json(row: TeamRow) -> dict[str, Any]:
    return {
        "professional": row.professional or None,
        "role": row.role or None,
        "service": row.service or None,
        "organisation": row.organisation or row.agency,
        "contact_points": [
            {"system": point.system, "value": point.value, "use": point.use, "rank": point.rank}
            for point in row.contact_points
        ],
        "since": row.since,
        "until": row.until,
        "lead": row.lead,
        "last_contact": row.last_contact and {"date": row.last_contact.date, "kind": row.last_contact.kind},
        "next_visit": row.next_visit and {"date": row.next_visit.date, "kind": row.next_visit.kind},
        "match_grade": row.grade.value,
    }
