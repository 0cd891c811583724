"""One entry in words for the officer: what was decided and on what, and nothing of whom a question was about.

What a question asked for stands in the asker's own entry as a signed text, which is not opened here.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from consent_ledger.consent import Relation
from consent_ledger.kinds import ANSWERS, EntryKind
from consent_ledger.report import shows
from gateway.fhir.text import plain
from gateway.policy.decide import Reason
from gateway.policy.words import MODES
from gateway.reports.document import Document, Fact, Item, Section
from gateway.reports.words import BASES, DANGERS, FIELDS, GRADES, OBLIGATIONS, RELATIONS, SIGN_IN, service_words
from mappings.vocabulary import Mode, Purpose, Sensitivity

OFFICERS_REASONS: Final[Mapping[str, str]] = {
    Reason.GRADE_TOO_LOW: "the match was not sure enough for the rules that apply",
    Reason.BREAK_GLASS_MISMATCH: "break-glass was claimed without its purpose, or its purpose without a reason code",
    Reason.NOTHING_REQUESTED: "the question asked for nothing",
    Reason.NO_AGREEMENT: "the agreement named is not one that binds both agencies",
    Reason.OTHER_AGREEMENT: "another agreement or version binds the two agencies",
    Reason.NOT_IN_FORCE: "the agreement was not in force that day",
    Reason.PERSON_RESTRICTED: "the person is restricted as a whole",
    Reason.NOT_CURRENT: "the involvement had not begun, or had ended",
    Reason.INVOLVEMENT_CLOSED: "the involvement shows nothing to anybody",
    Reason.NO_RULE: "no rule is about such a question",
    Reason.AUTH_TOO_WEAK: "the asker's sign-in was weaker than the rules want",
    Reason.DENIED_BY_RULE: "a rule denies it",
    Reason.SHIELDED: "the service is restricted, and the person has not agreed to it by name",
    Reason.NO_CONSENT: "the rule needs consent, and there is none that covers this",
    Reason.OBJECTION: "the person has objected, and the rule gives way",
}
KINDS: Final[Mapping[str, str]] = {
    EntryKind.CONSENT: "consent",
    EntryKind.WITHDRAWAL: "withdrawal of consent",
    EntryKind.OBJECTION: "objection",
    EntryKind.ANSWERED: "question answered here",
    EntryKind.LOOKED: "look at a client's page by somebody of this agency",
    EntryKind.ASKED: "question asked from here",
    EntryKind.RECEIVED: "what came back for a question asked from here",
    EntryKind.BREAK_GLASS: "question answered here in which the glass was broken",
    EntryKind.FINDING: "finding about a broken glass",
    EntryKind.CASE: "step of a case",
    EntryKind.AGREEMENT: "agreement accepted here, or no longer",
    EntryKind.CORRECTION: "decision whether two records are one person",
    EntryKind.REPORT_DECISION: "decision about a client's reports",
    EntryKind.RELEASE: "report given out",
    EntryKind.ERASURE: "erasure of a person",
    EntryKind.RETENTION: "end of time limits",
    EntryKind.EPOCH: "new beginning after a loss",
    EntryKind.FILLER: "filler, which says nothing",
}
_SENSITIVITY: Final[Mapping[str, str]] = {
    Sensitivity.NORMAL: "ordinary",
    Sensitivity.RESTRICTED: "restricted",
    Sensitivity.VERY_RESTRICTED: "very restricted",
}
_PURPOSES: Final[Mapping[str, str]] = {purpose: purpose.word.replace("-", " ") for purpose in Purpose}
# Of other kinds, what is told, in this order; whatever else an entry holds is left alone.
_TOLD: Final[Mapping[str, str]] = {
    "recipients": "Asked of",
    "case": "Case",
    "step": "Step",
    "decision": "Decision",
    "finding": "Finding",
    "words": "In words",
    "outcomes": "Outcomes",
    "correction": "Correction",
    "about": "About entry",
    "show": "Shown in reports",
    "until": "Until",
    "uri": "Agreement",
    "version": "Version",
    "sha256": "SHA-256 of it",
    "accepted": "Accepted",
    "to": "Given to",
    "relation": "Who that is to the client",
    "identity": "How their identity was checked",
    "authority": "What shows that they may act",
    "forms": "Given as",
    "keys": "Secrets destroyed",
    "periods": "Months and years whose secrets were destroyed",
    "reason": "Reason",
    "method": "Said how",
    "recorded_by": "Recorded by",
    "by": "Decided by",
    "break_glass": "Break-glass",
    "after": "Goes on after",
}
# Of a look at a client's page by this agency's own staff.
_LOOKED: Final[Mapping[str, str]] = {
    "name": "Who looked",
    "role": "Their role",
    "by": "Their account",
    "purpose": "Purpose",
    "lawful_basis": "Lawful basis",
}

_BY: Final = frozenset(("by", "recorded_by"))
_PUBLIC_ID: Final = re.compile("[0-9a-f]{32}")
# What may hold a name, or anything else that somebody typed.
_OWN_WORDS: Final = frozenset(
    ("name", "role", "words", "reason", "to", "identity", "authority", "method", "break_glass")
)

_SCOPES: Final[Mapping[str, str]] = {
    "purposes": "for the purpose",
    "recipients": "to",
    "except_recipients": "but not to",
    "services": "about the service",
}


def why_document(
    seq: int, leaf_hash: str, body: Mapping[str, Any], *, zone: tzinfo | None = None, names: bool = True
) -> Document:
    """One opened entry; without `names` nobody's name, and nothing that somebody wrote in their own words."""
    when = datetime.fromtimestamp(body["at"], UTC).astimezone(zone)
    facts: list[Fact] = [("What it is", KINDS[body["kind"]]), ("Its hash", leaf_hash)]
    sections: tuple[Section, ...] = ()
    if "asker" in body:
        facts += _asker(body, names=names)
    if body["kind"] in ANSWERS:
        facts += _outcome(body)
        items = tuple(_decision(each) for each in body.get("decisions") or ())
        none = () if items else ("Nobody was matched, or no service of this agency was with the person.",)
        sections = (Section(heading="Decisions, one for each involvement", paragraphs=none, items=items),)
    if "giver" in body:
        facts.append(("Said by", _giver(body["giver"])))
    facts += [("Says", _line(line)) for line in body.get("provisions") or ()]
    terms = _LOOKED if body["kind"] == EntryKind.LOOKED else _TOLD
    if not names:
        terms = {
            name: term
            for name, term in terms.items()
            if name not in _OWN_WORDS and (name not in _BY or is_account(str(body.get(name, ""))))
        }
    facts += [
        (term, _said(name, body[name])) for name, term in terms.items() if name in body and body[name] not in ("", None)
    ]
    return Document(
        title=f"Entry {seq}",
        date=_moment(when),
        facts=tuple((term, plain(value)) for term, value in facts),
        paragraphs=(),
        sections=sections,
    )


def is_account(by: str) -> bool:
    """Whether an officer is named by the public id of an account: a command takes any name that is typed."""
    return _PUBLIC_ID.fullmatch(by) is not None


def entry_words(body: Mapping[str, Any], *, zone: tzinfo | None = None) -> str:
    """One opened entry in a line, by which an officer knows that it is the one they mean: it names no person."""
    said = f"{KINDS[body['kind']]}, {_moment(datetime.fromtimestamp(body['at'], UTC).astimezone(zone))}"
    if "asker" in body:
        said += f", asked by {body['asker']['member']}, purpose: {_PURPOSES.get(body['purpose'], body['purpose'])}"
    return plain(said)


def _moment(when: datetime) -> str:
    return f"{when.day} {when:%B %Y}, {when:%H:%M %Z}".rstrip()


def _asker(body: Mapping[str, Any], *, names: bool) -> Iterable[Fact]:
    asker = body["asker"]
    who = f"{asker['name']}, {asker['role'] or 'role not stated'}" if names else asker["practitioner"]
    yield "Asked by", f"{who}, {asker['member']}"
    yield "Purpose", _PURPOSES.get(body["purpose"], body["purpose"])
    yield "Question", body["jti"]


def _outcome(body: Mapping[str, Any]) -> Iterable[Fact]:
    yield "Outcome", "something was shared" if body["outcome"] == "teams" else "nothing was shared"
    if "withheld" in body:
        yield "Withheld", f"as of somebody unknown: the asker's budget ({body['withheld']}) was used up"
        return
    weighed = body.get("question")
    if not weighed:
        yield "Match", "nobody here, or nobody who may be told apart"
        return
    match = weighed.get("match")
    if match:
        yield "Match", GRADES.get(match["grade"], match["grade"])
        fields = (f"{FIELDS.get(name, name)}: {level}" for name, (level, _) in match["fields"].items())
        yield "How they compared", "; ".join(fields)
    if "agreement" in weighed:
        yield (
            "Agreement",
            ", version ".join(weighed["agreement"]) + ("" if weighed["in_force"] else "; not in force"),
        )
        yield "Their lawful basis", _coded_words(BASES, weighed["lawful_basis"])
        yield "The asker had signed in", SIGN_IN.get(weighed["auth_method"], weighed["auth_method"])
        yield "Most they asked for", _mode(weighed["mode"])
        broken = weighed["break_glass"]
        yield "Break-glass", f"claimed: {_coded_words(DANGERS, broken)}" if broken else "not claimed"
        yield "Person restricted as a whole", "yes" if weighed["restricted"] else "no"


def _decision(decision: Mapping[str, Any]) -> Item:
    rule = decision.get("rule") or "none"
    effect = decision["effect"]
    if effect == "permit" and not shows(decision):
        said = "nothing shared: the service is asked to call back"
    elif effect == "permit":
        said = f"shared at most: {_mode(decision['mode'])}"
    elif effect == "review":
        said = f"a colleague here decides; at most: {_mode(decision['mode'])}"
    else:
        said = f"refused: {OFFICERS_REASONS.get(decision['reason'], decision['reason'])}"
    facts = [("Decision", said), ("Rule", rule), *_weighed(decision)]
    if decision.get("obligations"):
        facts.append(("Obligations", "; ".join(_coded_words(OBLIGATIONS, each) for each in decision["obligations"])))
    if decision.get("against_objection"):
        facts.append(("Objection", "stands; the rule discloses all the same and has it recorded"))
    return Item(
        heading=f"Involvement {decision['involvement']}, {service_words(decision['service'])}",
        facts=tuple((term, plain(value)) for term, value in facts),
    )


def _weighed(decision: Mapping[str, Any]) -> Iterable[Fact]:
    consent = decision["consent"]
    entry = "" if consent["entry"] is None else f", by entry {consent['entry']}"
    if consent["permits"] == Mode.NONE.code and not entry:
        yield "Consent", "none on record that permits anything; whether one is needed, the rule says"
    else:
        yield "Consent", f"permits at most{entry}: {_mode(consent['permits'])}"
    if consent["refused_from"] is not None:
        yield "Objection", f"to {_mode(consent['refused_from'])}, and to all that shows more"
    yield "Sensitivity", _SENSITIVITY.get(decision["sensitivity"], decision["sensitivity"])
    yield "Most that the involvement shows", _mode(decision["max_mode"])


def _giver(giver: Mapping[str, Any]) -> str:
    """Who spoke; a representative with this agency's own number for them."""
    if giver["relation"] == Relation.PERSON:
        return "the person"
    return f"{RELATIONS[Relation(giver['relation'])]}, this agency's number {giver['reference']}"


def _line(line: Mapping[str, Any]) -> str:
    """One provision of a consent; members, services and kinds of agency by their codes."""
    scope = (
        f"{_SCOPES[name]}: {', '.join(_coded(name, code) for code in line[name])}" for name in _SCOPES if line[name]
    )
    mode = _mode(line["mode"])
    return "; ".join([f"at most: {mode}" if line["permit"] else f"not: {mode}, and all that shows more", *scope])


def _coded(name: str, code: str) -> str:
    return _PURPOSES.get(code, code) if name == "purposes" else code


def _mode(code: str) -> str:
    """In words, and as agreements and settings have it."""
    return f"{MODES[Mode.from_code(code)]} ({code})"


def _coded_words(words: Mapping[str, str], code: str) -> str:
    """In words, and as agreements and questions have it; a code that has no words as it is."""
    return f"{words[code]} ({code})" if code in words else code


def _said(name: str, value: object) -> str:
    """What stands in an entry under a name."""
    if name == "purpose" and isinstance(value, str):
        return _coded_words(_PURPOSES, value)
    if name == "lawful_basis" and isinstance(value, str):
        return _coded_words(BASES, value)
    if name == "break_glass" and isinstance(value, Mapping) and "code" in value:
        return ": ".join(filter(None, (_coded_words(DANGERS, str(value["code"])), str(value.get("words") or ""))))
    return _told(value)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
