"""The federation document: without one in force a node asks nothing and answers nothing."""

from dataclasses import dataclass

from gateway.doctor.finding import Finding, moment, soon, spell, well, wrong
from gateway.wire.federation import Federation
from gateway.wire.keys import fingerprint_of

CHECK = "federation"
NOTHING = "this node asks nothing and answers nothing"
RENEW = (
    "the operator runs `patchwork federation renew` and copies federation.jws to the hub; "
    "a serving node takes it up within a minute"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """`offered`: what the hub serves, if the operator signed it; else `problem` says why there is none.

    `held`, `fresh_until` and `alarm`: what this node has kept. Documents may be over; times are epoch seconds.
    `signing`: kids of the signing keys that are here.
    """

    me: str
    now: float
    offered: Federation | None = None
    problem: str = ""
    held: Federation | None = None
    fresh_until: float | None = None
    alarm: str | None = None
    signing: frozenset[str] = frozenset()


def newest(facts: DocumentFacts) -> Federation | None:
    """The document that counts: the newer of the hub's and the one that is held."""
    return max(
        (each for each in (facts.held, facts.offered) if each is not None), key=lambda each: each.seq, default=None
    )


def check_document(facts: DocumentFacts) -> list[Finding]:
    """Whether anything may be asked and answered, and why not."""
    document = newest(facts)
    if facts.alarm:
        return [
            wrong(
                CHECK,
                f"{facts.alarm}: {NOTHING}",
                "ask the operator why there were two; then `patchwork node clear-alarm`",
            )
        ]
    if document is None:
        return [
            wrong(
                CHECK,
                f"no federation document has arrived yet: {NOTHING} ({facts.problem})",
                "first mend what stands here of the hub",
            )
        ]
    found = [*_in_force(document, facts), *_rolled_back(facts), *_standing(document, facts)]
    return found or [
        well(CHECK, f"document {document.seq} is in force for another {spell(document.expires_at - facts.now)}")
    ]


def _in_force(document: Federation, facts: DocumentFacts) -> list[Finding]:
    if document.expires_at <= facts.now:
        ago = spell(facts.now - document.expires_at)
        what = f"federation document {document.seq} expired {ago} ago, at {moment(document.expires_at)}: {NOTHING}"
        return [wrong(CHECK, what, RENEW)]
    if facts.offered is not None:
        return []
    if facts.fresh_until is None or facts.fresh_until <= facts.now:
        said = "never came" if facts.fresh_until is None else f"ended at {moment(facts.fresh_until)}"
        what = f"the hub's word that document {document.seq} is the newest {said}: {NOTHING} ({facts.problem})"
        return [wrong(CHECK, what, "get the hub to answer again; a serving node goes on by itself within a minute")]
    what = f"the hub gives no federation document; from {moment(facts.fresh_until)} {NOTHING} ({facts.problem})"
    return [soon(CHECK, what, "get the hub to answer again")]


def _rolled_back(facts: DocumentFacts) -> list[Finding]:
    if facts.offered is None or facts.held is None or facts.offered.seq >= facts.held.seq:
        return []
    what = f"the hub serves document {facts.offered.seq}, and this node has seen {facts.held.seq}: it is refused"
    return [wrong(CHECK, what, "the operator copies the newest federation.jws to the hub")]


def _standing(document: Federation, facts: DocumentFacts) -> list[Finding]:
    member = document.members.get(facts.me)
    if member is None:
        return [_not_listed(document, facts)]
    if not member.active:
        return [wrong(CHECK, f"{facts.me} is {member.status}: {NOTHING}", "ask the operator why")]
    return []


def _not_listed(document: Federation, facts: DocumentFacts) -> Finding:
    """It waits to be admitted, or has been under a name of the operator's choice."""
    for member in document.members.values():
        if any(key.key.kid in facts.signing for key in member.keys):
            return wrong(
                CHECK,
                f"the operator lists this node as {member.id}, not as {facts.me}: {NOTHING}",
                f"a serving node that has just been admitted takes that over; else write "
                f'member = "{member.id}" below [node], and start again',
            )
    shown = " or ".join(fingerprint_of(kid) for kid in sorted(facts.signing))
    return wrong(
        CHECK,
        f"{facts.me} is not in federation document {document.seq}: it waits for the operator to admit it; {NOTHING}",
        f"ring the operator, and read the fingerprint of this node's key out: {shown}; if you had no join code, send "
        "join-request.jws, too",
    )
