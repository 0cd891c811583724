"""Governance cases on a screen."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consent_ledger.case import CaseKind
from gateway.days import DAY_S, HOUR_S
from gateway.fhir.text import plain
from gateway.node.cases import CaseShown
from gateway.node.results_words import typed
from gateway.reports.case_about import About, Members, about
from mappings.vocabulary import Finding, Purpose

_ABOUT = {
    CaseKind.BREAK_GLASS: "A question broke the glass about a client of this agency.",
    CaseKind.OUR_BREAK_GLASS: "Somebody of this agency broke the glass.",
    CaseKind.REVIEW: "The agreement wants a person of this agency to decide about this question.",
    CaseKind.CALL_BACK: "A colleague would like a call about a client; nothing has been told to them.",
}
_NEXT = {
    CaseKind.BREAK_GLASS: "close {case} --finding {codes} --by NAME --words WORDS",
    CaseKind.OUR_BREAK_GLASS: "close {case} --finding {codes} --by NAME --words WORDS",
    CaseKind.REVIEW: "decide {case} --permit (or --refuse) --by NAME --reason WORDS",
    CaseKind.CALL_BACK: "decide {case} --called (or --not-called) --by NAME --reason WORDS",
}
_NOTHING_LEFT = {
    CaseKind.BREAK_GLASS: "close {case} --finding CODE --by NAME --words WORDS",
    CaseKind.OUR_BREAK_GLASS: "close {case} --finding CODE --by NAME --words WORDS",
    CaseKind.REVIEW: "decide {case} --refuse --by NAME --reason WORDS",
    CaseKind.CALL_BACK: "decide {case} --not-called --by NAME --reason WORDS",
}
_ERASED = "erased"
_NO_WORDS = "(the asker's agency has the reason in words)"


def case_list(found: Sequence[CaseShown], *, counted: tuple[int, int], members: Members, now: float) -> RenderableType:
    """One row each, with what is overdue in red; `counted`: how many are open and overdue, listed or not."""
    if not found:
        return Text("No case is open.")
    table = Table(header_style="bold")
    table.add_column("Case", no_wrap=True)
    table.add_column("Age", no_wrap=True)
    table.add_column("Due", no_wrap=True)
    table.add_column("Asked by", overflow="fold")
    table.add_column("Purpose", overflow="fold")
    table.add_column("Client", overflow="fold")
    for shown in found:
        overdue = shown.overdue(now)
        table.add_row(
            str(shown.case.id),
            _age(now - shown.opened_at),
            Text("OVERDUE", style="bold red") if overdue else _day(shown.due_at),
            Text(_asker_short(shown, members)),
            Text(_purpose(shown)),
            Text(_clients_short(shown)),
        )
    count, late = counted
    said = f"{count} case{'' if count == 1 else 's'} open, {late} overdue. All about one: patchwork cases show CASE"
    if len(found) < count:
        said += f"\nThese are the newest {len(found)}; with --all the list has the other {count - len(found)} too."
    return Group(table, Text(said))


def case_sheet(shown: CaseShown, *, members: Members, told: str, now: float) -> RenderableType:
    """Everything about one case, as label and text."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for label, text in (*_question(shown, members), *_life(shown, told=told, now=now)):
        grid.add_row(label, Text(text))
    case = shown.case
    parts: list[RenderableType] = [Text(f"{case.id}: {_ABOUT[case.id.kind]}"), grid]
    if case.row.ended_seq is None and case.opened is None:
        over = _NOTHING_LEFT[case.id.kind].format(case=case.id)
        parts.append(Text(f"Nothing can be looked into any more. To end the case: patchwork cases {over}"))
    elif case.row.ended_seq is None:
        parts.append(Text(f"Next: patchwork cases {_NEXT[case.id.kind].format(case=case.id, codes='|'.join(Finding))}"))
    return Group(*parts)


def _question(shown: CaseShown, members: Members) -> Iterator[tuple[str, str]]:
    asked = about(shown, members)
    if asked is None:
        yield "About", "somebody whose entries have been erased: what was asked cannot be read any more"
        return
    yield "Asked by", f"{asked.name} ({asked.practitioner}), {asked.role}"
    yield "", f"{asked.agency or 'no longer a member'} ({asked.member})"
    yield "Purpose", asked.purpose.word + (f", on the basis {asked.basis}" if asked.basis else "")
    if asked.signed_in:
        yield "Signed in", asked.signed_in
    if asked.danger:
        yield "Break-glass", f"{asked.danger}: {asked.words}" if asked.words else f"{asked.danger} {_NO_WORDS}"
    yield "Question", asked.jti
    if asked.subject is not None:
        yield "About", typed(asked.subject)
        yield "Agencies asked", ", ".join(asked.asked)
        return
    yield "Client", ", ".join(asked.clients) or "no longer on this agency's register"
    yield "Answered", "with a team" if asked.shared else "nothing, as for an unknown person"
    yield from _decisions(asked)
    yield "To call", _numbers(asked)


def _decisions(asked: About) -> Iterator[tuple[str, str]]:
    """Those that concern this case: what wants a decision, what wants a call, or what was disclosed."""
    for each in asked.concerned:
        if asked.kind is CaseKind.CALL_BACK:
            yield "Service", each.service
            continue
        against = ", against an objection" if each.against_objection else ""
        yield "At most" if asked.kind is CaseKind.REVIEW else "Decided", f"{each.service}: {each.what}{against}"
    if asked.rules:
        yield "By rule", f"{', '.join(asked.rules)} of {asked.agreement}"


def _life(shown: CaseShown, *, told: str, now: float) -> Iterator[tuple[str, str]]:
    case = shown.case
    yield "Opened", f"{_time(shown.opened_at)}, ledger entry {case.row.id.opened_seq}"
    if case.row.ended_seq is None:
        yield "Due", _time(shown.due_at) + (" - OVERDUE" if shown.overdue(now) else "")
    if case.row.told_hour is not None:
        yield "Told", f"{plain(case.row.told_to or told)}, in the hour from {_time(case.row.told_hour * HOUR_S)}"
    else:
        yield "To be told", f"{plain(told)}: not yet; the serving node does it within a minute"
    if case.row.reminded_hour is not None:
        yield "Last reminded", f"{plain(told)}, in the hour from {_time(case.row.reminded_hour * HOUR_S)}"
    if case.acknowledged is not None:
        yield "Acknowledged", f"by {plain(case.acknowledged['by'])}, {_time(case.acknowledged['at'])}"
    elif case.row.ended_seq is None:
        yield "Acknowledged", f"not yet: patchwork cases acknowledge {case.id} --by NAME"
    yield from _end(shown)


def _end(shown: CaseShown) -> Iterator[tuple[str, str]]:
    ended, seq = shown.case.ended, shown.case.row.ended_seq
    if ended is not None:
        verdict, said = ("finding", "words") if "finding" in ended else ("decision", "reason")
        yield verdict.capitalize(), f"{ended[verdict]}: {plain(ended[said])}"
        yield "", f"by {plain(ended['by'])}, {_time(ended['at'])}, ledger entry {seq}"
    elif seq is not None:
        yield "Ended", f"ledger entry {seq}, which has been erased"


def _asker_short(shown: CaseShown, members: Members) -> str:
    opened = shown.case.opened
    if opened is None:
        return _ERASED
    asker = opened["asker"]
    if shown.case.id.kind is CaseKind.OUR_BREAK_GLASS:
        return f"{plain(asker['name'])} of this agency"
    member = members.get(asker["member"])
    return f"{plain(asker['name'])}, {plain(member.name if member else asker['member'])}"


def _purpose(shown: CaseShown) -> str:
    return _ERASED if shown.case.opened is None else Purpose(shown.case.opened["purpose"]).word


def _clients_short(shown: CaseShown) -> str:
    if shown.case.id.kind is CaseKind.OUR_BREAK_GLASS:
        return "asked of others"
    if shown.case.erased:
        return _ERASED
    if not shown.clients:
        return "off the register"
    more = f" and {len(shown.clients) - 1} more" if len(shown.clients) > 1 else ""
    return plain(shown.clients[0]) + more


def _numbers(asked: About) -> str:
    if not asked.call:
        return "the member list has no number: ask the federation's operator, do not use one from the question"
    ways = ", ".join(f"{system} {plain(value)}" for system, value in asked.call)
    return f"{ways} (the member list's number for {asked.agency})"


def _age(seconds: float) -> str:
    days = int(seconds // DAY_S)
    return f"{days} d" if days else f"{max(0, int(seconds // HOUR_S))} h"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
