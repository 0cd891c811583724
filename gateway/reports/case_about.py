"""What a governance case is about, taken from the entry that opened it: the same for a terminal and for a page.

What another agency's question says is shown as plain text: nothing of it is obeyed. Whom to call comes from the
federation's member list, never from the question: its asker could have written any number.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consent_ledger.case import CaseKind
from gateway.fhir.text import plain
from gateway.node.cases import CaseShown, asked_about
from gateway.policy.words import BASES, MODES
from gateway.reports.why import OFFICERS_REASONS
from gateway.reports.words import SIGN_IN
from gateway.wire.federation import Member
from gateway.wire.query import Subject
from mappings.vocabulary import Mode, Purpose

Members = Mapping[str, Member]

_CALLED = frozenset((CaseKind.REVIEW, CaseKind.CALL_BACK, CaseKind.BREAK_GLASS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """A service of this agency (its MAIS code), and what was decided, or would at most be told, about its work."""

    service: str
    what: str
    against_objection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """`agency` is the asker's by name, "" if it is no member any more. `basis`, `signed_in` and `danger` may be "".

    `words` are why the glass was broken, as this agency's own asker typed it; `subject` is whom they asked about, and
    `asked` the members they asked. `clients` are this agency's own records, as SOURCE:KEY, and `shared` whether the
    answer told of somebody. `call` is how the member list says to reach the asker's agency.
    """

    kind: CaseKind
    jti: str
    member: str
    agency: str
    practitioner: str
    name: str
    role: str
    purpose: Purpose
    basis: str
    signed_in: str
    danger: str
    words: str
    subject: Subject | None
    asked: tuple[str, ...]
    clients: tuple[str, ...]
    shared: bool
    concerned: tuple[Concerned, ...]
    rules: tuple[str, ...]
    agreement: str
    call: tuple[tuple[str, str], ...]


def about(shown: CaseShown, members: Members) -> About | None:
    """None if it was about somebody whose entries have been erased. Raises MalformedMessage."""
    opened = shown.case.opened
    if opened is None:
        return None
    kind, asker, facts = shown.case.id.kind, opened["asker"], opened.get("question") or {}
    member = members.get(asker["member"])
    ours = kind is CaseKind.OUR_BREAK_GLASS
    broken = opened.get("break_glass") or {}
    decided = list(_decisions(kind, opened))
    return About(
        kind=kind,
        jti=opened["jti"],
        member=plain(asker["member"]),
        agency=plain(member.name) if member else "",
        practitioner=plain(asker["practitioner"]),
        name=plain(asker["name"]),
        role=plain(asker["role"]),
        purpose=Purpose(opened["purpose"]),
        basis=BASES.get(facts["lawful_basis"], facts["lawful_basis"]) if "lawful_basis" in facts else "",
        signed_in=SIGN_IN.get(facts["auth_method"], facts["auth_method"]) if "auth_method" in facts else "",
        danger=plain(broken.get("code") or facts.get("break_glass") or ""),
        words=plain(broken.get("words") or ""),
        subject=asked_about(opened["query"]) if ours else None,
        asked=tuple(map(plain, opened["recipients"])) if ours else (),
        clients=tuple(map(plain, shown.clients)),
        shared=opened.get("outcome") == "teams",
        concerned=tuple(_concerned(kind, each) for each in decided),
        rules=tuple(dict.fromkeys(plain(each["rule"]) for each in decided if each.get("rule"))),
        agreement=plain(" version ".join(facts.get("agreement", ()))),
        call=member.duty_contact if member is not None and kind in _CALLED else (),
    )


def _decisions(kind: CaseKind, opened: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those that concern this case: what wants a decision, what wants a call, or what was disclosed."""
    for each in opened.get("decisions", ()):
        if (
            kind is CaseKind.BREAK_GLASS
            or (kind is CaseKind.REVIEW and each["effect"] == "review")
            or (kind is CaseKind.CALL_BACK and (each["effect"], each.get("mode")) == ("permit", "callback"))
        ):
            yield each


def _concerned(kind: CaseKind, decision: Mapping[str, Any]) -> Concerned:
    return Concerned(
        service=decision["service"] or "a service without a code",
        what=_decided(decision) if kind is CaseKind.BREAK_GLASS else MODES[Mode.from_code(decision["mode"])],
        against_objection=bool(decision.get("against_objection")),
    )


def _decided(decision: Mapping[str, Any]) -> str:
    """In words, as `patchwork ledger why` has it."""
    if decision["effect"] == "deny":
        return f"refused: {OFFICERS_REASONS.get(decision['reason'], decision['reason'])}"
    most = MODES[Mode.from_code(decision["mode"])]
    return f"shared at most: {most}" if decision["effect"] == "permit" else f"under review, at most: {most}"
