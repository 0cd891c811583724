"""Governance cases on a screen. What another agency's question says is shown as plain text: nothing of it is obeyed.

Whom to call comes from the federation's member list, never from the question: its asker could have written any number.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from consent_ledger.case import CaseKind
from gateway.fhir.text import plain
from gateway.node.cases import CaseShown, asked_about
from gateway.node.results_words import typed
from gateway.policy.words import BASES, MODES
from gateway.reports.why import OFFICERS_REASONS
from gateway.reports.words import SIGN_IN
from gateway.wire.federation import Member
from mappings.vocabulary import Finding, Mode, Purpose

Members = Mapping[str, Member]

_DAY_S = 86_400
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
    opened = shown.case.opened
    if opened is None:
        yield "About", "somebody whose entries have been erased: what was asked cannot be read any more"
        return
    asker, facts = opened["asker"], opened.get("question") or {}
    member = members.get(asker["member"])
    agency = plain(member.name) if member else "no longer a member"
    yield "Asked by", f"{plain(asker['name'])} ({plain(asker['practitioner'])}), {plain(asker['role'])}"
    yield "", f"{agency} ({plain(asker['member'])})"
    yield (
        "Purpose",
        _purpose(shown)
        + (
            f", on the basis {BASES.get(facts['lawful_basis'], facts['lawful_basis'])}"
            if "lawful_basis" in facts
            else ""
        ),
    )
    if "auth_method" in facts:
        yield "Signed in", SIGN_IN.get(facts["auth_method"], facts["auth_method"])
    yield from _broken_glass(opened, facts)
    yield "Question", opened["jti"]
    if shown.case.id.kind is CaseKind.OUR_BREAK_GLASS:
        yield "About", typed(asked_about(opened["query"]))
        yield "Agencies asked", ", ".join(map(plain, opened["recipients"]))
        return
    yield "Client", ", ".join(map(plain, shown.clients)) or "no longer on this agency's register"
    yield "Answered", "with a team" if opened["outcome"] == "teams" else "nothing, as for an unknown person"
    yield from _decisions(shown)
    if shown.case.id.kind in (CaseKind.REVIEW, CaseKind.CALL_BACK, CaseKind.BREAK_GLASS):
        yield "To call", _numbers(member)


def _broken_glass(opened: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    ours = opened.get("break_glass")
    if ours is not None:
        yield "Break-glass", f"{ours['code']}: {plain(ours['words'])}"
    elif facts.get("break_glass"):
        yield "Break-glass", f"{plain(facts['break_glass'])} (the asker's agency has the reason in words)"


def _decisions(shown: CaseShown) -> Iterator[tuple[str, str]]:
    """Those that concern this case: what wants a decision, what wants a call, or what was disclosed."""
    opened = shown.case.opened or {}
    kind = shown.case.id.kind
    agreement = " version ".join(opened.get("question", {}).get("agreement", ()))
    rules: dict[str, None] = {}
    for each in opened.get("decisions", ()):
        service = each["service"] or "a service without a code"
        effect, mode = each["effect"], each.get("mode")
        if kind is CaseKind.REVIEW and effect == "review":
            rules[each["rule"]] = None
            yield "At most", f"{service}: {MODES[Mode.from_code(mode)]}"
        elif kind is CaseKind.CALL_BACK and (effect, mode) == ("permit", "callback"):
            rules[each["rule"]] = None
            yield "Service", service
        elif kind is CaseKind.BREAK_GLASS:
            if each.get("rule"):
                rules[each["rule"]] = None
            against = ", against an objection" if each.get("against_objection") else ""
            yield "Decided", f"{service}: {_decided(each)}{against}"
    if rules:
        yield "By rule", f"{', '.join(map(plain, rules))} of {plain(agreement)}"


def _decided(decision: Mapping[str, Any]) -> str:
    """In words, as `patchwork ledger why` has it."""
    if decision["effect"] == "deny":
        return f"refused: {OFFICERS_REASONS.get(decision['reason'], decision['reason'])}"
    most = MODES[Mode.from_code(decision["mode"])]
    return f"shared at most: {most}" if decision["effect"] == "permit" else f"under review, at most: {most}"


def _life(shown: CaseShown, *, told: str, now: float) -> Iterator[tuple[str, str]]:
    case = shown.case
    yield "Opened", f"{_time(shown.opened_at)}, ledger entry {case.row.id.opened_seq}"
    if case.row.ended_seq is None:
        yield "Due", _time(shown.due_at) + (" - OVERDUE" if shown.overdue(now) else "")
    if case.row.told_hour is not None:
        yield "Told", f"{plain(case.row.told_to or told)}, in the hour from {_time(case.row.told_hour * 3600)}"
    else:
        yield "To be told", f"{plain(told)}: not yet; the serving node does it within a minute"
    if case.row.reminded_hour is not None:
        yield "Last reminded", f"{plain(told)}, in the hour from {_time(case.row.reminded_hour * 3600)}"
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


def _numbers(member: Member | None) -> str:
    if member is None or not member.duty_contact:
        return "the member list has no number: ask the federation's operator, do not use one from the question"
    ways = ", ".join(f"{system} {plain(value)}" for system, value in member.duty_contact)
    return f"{ways} (the member list's number for {plain(member.name)})"


def _age(seconds: float) -> str:
    days = int(seconds // _DAY_S)
    return f"{days} d" if days else f"{max(0, int(seconds // 3600))} h"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
