"""Agreements and members: without an agreement in force nobody is asked and nothing disclosed, well as all may run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gateway.doctor.finding import Finding, soon, well, wrong
from gateway.policy.agreement import Agreement
from gateway.policy.in_force import PublishedAgreement, in_force, publish
from gateway.wire.acceptance import PendingChange, without_pending
from gateway.wire.federation import Federation

CHECK = "agreements"
MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementFacts:
    """`listed`: hashes that the configuration names; `accepted`: those that the record says this agency has accepted.

    `waiting`: what this node's officer has not accepted of the document.
    """

    me: str
    today: date
    listed: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    waiting: tuple[PendingChange, ...] = ()


def check_agreements(facts: AgreementFacts, document: Federation | None) -> list[Finding]:
    """With whom an agreement is in force, why with nobody, and who waits. Of a node that is no member nothing."""
    if document is None or facts.me not in document.members or not document.members[facts.me].active:
        return []
    others = [member.id for member in document.active_members() if member.id != facts.me]
    if not others:
        return [well(CHECK, "there is no other member yet")]
    return [_check_force(facts, document, others), *_check_waiting(facts, others)]


def _check_force(facts: AgreementFacts, document: Federation, others: list[str]) -> Finding:
    usable = without_pending(document, facts.waiting)
    published = list(publish(document).values())
    bound = sorted(
        other
        for other in others
        if any(
            in_force(each, facts.me, other, federation=usable, accepted_locally=facts.accepted, today=facts.today)
            for each in published
        )
    )
    if bound:
        return well(CHECK, f"in force with {_named(bound)}")
    ours = [each for each in published if facts.me in each.agreement.members]
    if not ours:
        what = "none in force: the member list has none to which this agency is a party"
        return wrong(CHECK, what, "agree on one, sign it (`patchwork agreement sign`) and have the operator carry it")
    whys = [(each.agreement, list(_whys(each, facts, usable))) for each in ours]
    said = "; ".join(f"{agreement.name}: {', '.join(why for why, _ in reasons)}" for agreement, reasons in whys)
    do = "; ".join(dict.fromkeys(step for _, reasons in whys for _, step in reasons))
    return wrong(CHECK, f"none in force, so nobody is asked and nothing disclosed ({said})", do)


def _whys(each: PublishedAgreement, facts: AgreementFacts, usable: Federation) -> Iterator[tuple[str, str]]:
    """What it lacks, and the next step."""
    agreement = each.agreement
    if facts.me not in each.signed_by:
        yield "not signed by this agency", "`patchwork agreement sign`"
    if agreement.sha256 not in facts.accepted:
        yield "not accepted here", _accept(agreement, facts.listed)
    if not each.signed_by & agreement.members - {facts.me}:
        yield "nobody else has signed it", "ask the other parties to sign"
    elif not any(other in usable.members for other in each.signed_by - {facts.me}):
        yield "who has signed it is not accepted here", "`patchwork node accept`"
    if facts.today < agreement.start_date:
        yield f"begins on {agreement.start_date}", "wait for that day"
    elif facts.today > agreement.end_date:
        yield f"ended on {agreement.end_date}", "agree its next version with the other parties"


def _accept(agreement: Agreement, listed: frozenset[str]) -> str:
    if agreement.sha256 in listed:
        return "start the node again, which accepts what its configuration lists"
    return "name its file under `agreements` in the configuration, and start the node again"


def _check_waiting(facts: AgreementFacts, others: list[str]) -> Iterator[Finding]:
    waiting = {change.member: change.kind.value for change in facts.waiting if change.member in others}
    if waiting:
        said = _named(f"{member} ({kind})" for member, kind in sorted(waiting.items()))
        what = f"members wait for this agency: {said}"
        yield soon("members", what, "`patchwork node accept MEMBER`, for each that this agency wants to work with")


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - MOST_NAMED
    return ", ".join(listed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
