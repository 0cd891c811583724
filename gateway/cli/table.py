"""What `patchwork search` shows: a table that fills as agencies answer, then who did and did not.

Everything that came from another agency is shown as plain text: no terminal sequence and no markup of it is obeyed.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from gateway.node.merge import TeamRow, merge
from gateway.node.results import Asked, Completed, MemberResult
from gateway.node.results_words import (
    HUB_DIFFERS,
    NO_PROOF,
    NOTHING_FOUND,
    PROBABLY,
    is_only_probable,
    left_out,
    outcome,
    typed,
)
from gateway.wire.query import Subject
from mappings.model import ContactPoint
from mappings.vocabulary import MatchGrade

WIDE = 110  # columns of a terminal that hold all five headings
_OTHERS = 13 + 10 + 12 + 10  # columns for borders and the three other headings on a narrow one

_SYSTEM_WORDS = {"phone": "phone", "sms": "text", "email": "email"}


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
            yield _team_table(rows, width=options.max_width)
        elif self._completed:
            yield Text(f"{NOTHING_FOUND} {NO_PROOF}")
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
                yield Text(HUB_DIFFERS, style="red")


def warnings(asked: Asked) -> Iterable[str]:
    """Why less may be known than there is to know, in ways that no answer shows."""
    if told := left_out(asked):
        yield told
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


def _team_table(rows: Sequence[TeamRow], *, width: int) -> Table:
    """A contact is never broken over two lines if it fits at all; on a narrow screen the role stands below the name."""
    wide = width >= WIDE
    whole = wide or all(cell_len(way) <= width - _OTHERS for row in rows for way in _ways(row))
    table = Table(show_lines=True, header_style="bold")
    table.add_column("Agency", overflow="fold", min_width=10)
    table.add_column("Professional", overflow="fold", min_width=12)
    if wide:
        table.add_column("Role", overflow="fold")
    table.add_column("Best way to reach", no_wrap=whole, overflow="fold", min_width=13)  # a number stays whole
    table.add_column("Since, contacts", overflow="fold")
    before = None
    for row in rows:
        role = Text("\n".join(filter(None, (row.role, row.service, row.organisation, _hours(row)))))
        who = _professional(row)
        table.add_row(
            _agency(row) if (row.member, row.grade) != before else Text(),
            *((who, role) if wide else (Text("\n").join(filter(None, (who, role))),)),
            Text("\n".join(_ways(row)) or "no contact given"),
            Text("\n".join(_dates(row))),
        )
        before = row.member, row.grade
    return table


def _agency(row: TeamRow) -> Text:
    text = Text(row.agency)
    if row.grade is not MatchGrade.CERTAIN:
        text.append(f"\n({PROBABLY})", style="yellow")
    return text


def _professional(row: TeamRow) -> Text:
    text = Text(row.professional or "Duty contact")
    if row.lead:
        text.append(" (lead)", style="bold")
    return text


def _hours(row: TeamRow) -> str:
    return f"works {row.working_pattern}" if row.working_pattern else ""


def _ways(row: TeamRow) -> Iterable[str]:
    """Whoever stands in comes before somebody who is away: they are the best way for now."""
    own = [_reach(point) for point in row.contact_points]
    if row.away_until:
        yield f"away until {row.away_until}"
        if row.cover is not None:
            yield f"{row.cover.professional} covers:"
            yield from (_reach(point) for point in row.cover.contact_points)
            if own:
                yield "their own:"
    yield from own


def _reach(point: ContactPoint) -> str:
    """A number or address speaks for itself, but for one that takes text messages only."""
    return f"text {point.value}" if point.system == "sms" else point.value


def _dates(row: TeamRow) -> Iterable[str]:
    yield row.since or ""
    if row.last_confirmed:
        yield f"confirmed {row.last_confirmed}"
    if row.last_contact is not None:
        yield f"last {row.last_contact.date}"
    if row.next_visit is not None:
        yield f"next {row.next_visit.date}"


def _line(result: MemberResult) -> Text:
    """One member's part in words; whoever did not answer can still be phoned."""
    answered = "?" if is_only_probable(result) else "✓"
    text = Text(f"  {answered if result.outcome.answered else '✗'} {result.member.name} {outcome(result)}")
    if not result.outcome.answered and result.member.duty_contact:
        ways = ", ".join(f"{_SYSTEM_WORDS.get(system, system)} {value}" for system, value in result.member.duty_contact)
        text.append(f"; its duty contact: {ways}")
    return text


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
        "contact_points": _points_json(row.contact_points),
        "working_pattern": row.working_pattern or None,
        "away_until": row.away_until,
        "cover": row.cover
        and {
            "professional": row.cover.professional,
            "role": row.cover.role or None,
            "contact_points": _points_json(row.cover.contact_points),
        },
        "since": row.since,
        "until": row.until,
        "last_confirmed": row.last_confirmed,
        "lead": row.lead,
        "last_contact": row.last_contact and {"date": row.last_contact.date, "kind": row.last_contact.kind},
        "next_visit": row.next_visit and {"date": row.next_visit.date, "kind": row.next_visit.kind},
        "match_grade": row.grade.value,
    }


def _points_json(points: Iterable[ContactPoint]) -> list[dict[str, Any]]:
    return [{"system": each.system, "value": each.value, "use": each.use, "rank": each.rank} for each in points]
