"""An access report as a document: who asked about me, what were they told, what have I said about it?

Every text is made plain here, for names, roles and notes came from elsewhere; renderings escape what they must.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision, Relation
from consent_ledger.report import AccessReport, Look, QuestionAsked, Statement
from gateway.fhir.text import plain
from gateway.reports.clauses import Clause
from gateway.reports.document import Document, Fact, Item, Section
from gateway.reports.words import (
    BASES,
    CORRECTIONS,
    FOLLOWED,
    LOOKED,
    LOOKED_TO_REPORT,
    MODES,
    PURPOSES,
    REASONS,
    RELATIONS,
    STATEMENTS,
    service_words,
)
from mappings.vocabulary import Purpose

# In every report, whether or not anything was left out, so that it tells nothing.
ALWAYS_SAID = (
    "The law sometimes lets us keep an entry back, for example while showing it could put somebody in danger or get in "
    "the way of an inquiry. This paragraph stands in every report of this kind. You may ask the Information "
    "Commissioner's Office to check what we do: ico.org.uk."
)

# As always said: whether this person ever had anything erased, the record does not tell any more.
ERASED_SAID = (
    "What has been erased at somebody's request cannot be in a report. Our record then still tells that there was an "
    "erasure, and on which day, but not whose it was. So where this report has nothing to show, there may never have "
    "been anything, or it has been erased. If you asked us to erase something, the answer that we gave you tells when."
)
IN_DOUBT = (
    "Our record is in doubt today: it does not agree with itself, or with what others keep to check it by. This report "
    "may be incomplete or wrong. Please ask us for a new one once this has been put right."
)
RESTORED = (
    "On {day} our record was restored from a copy, after part of it had been lost. Questions and wishes of the time "
    "just before that day may be missing from this report."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a report needs to know besides the entries.

    `agencies` maps member ids and kinds of agency to names, `agreements` (uri, version) to names, `clauses` (uri,
    version, rule) to what the rule allows, in words, `accounts` public ids of accounts, which stand for who recorded
    something on a page, to their names. `zone` None is the machine's own. `by_role`: people who asked or
    recorded appear without their names. `in_doubt`: the record does not hold together now; `restored`: when it went on
    after a loss, in epoch seconds.
    """

    agency: str
    about: str
    made_at: float
    by_role: bool
    agencies: Mapping[str, str] = field(default_factory=dict)
    agreements: Mapping[tuple[str, str], str] = field(default_factory=dict)
    clauses: Mapping[tuple[str, str, str], Clause] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    in_doubt: bool = False
    restored: tuple[int, ...] = ()
    zone: tzinfo | None = None


def access_document(report: AccessReport, setting: Setting) -> Document:
    """The report in words."""
    return Document(
        title="Who asked about me",
        date=_day(setting.made_at, setting),
        facts=_plain((("Agency", setting.agency), ("About", setting.about))),
        paragraphs=(
            f"This report lists the questions about you that other agencies asked {setting.agency} through Patchwork, "
            f"what they were told, who of {setting.agency} opened your page there, and what has been recorded about "
            "your wishes. Patchwork tells agencies who works with a person and how to reach them. It never passes on "
            "what is in your case notes.",
            ALWAYS_SAID,
            ERASED_SAID,
        ),
        warnings=tuple(_warnings(setting)),
        sections=tuple(_sections(report, setting)),
    )


def _warnings(setting: Setting) -> Iterable[str]:
    if setting.in_doubt:
        yield IN_DOUBT
    for at in setting.restored:
        yield RESTORED.format(day=_day(at, setting))


def _sections(report: AccessReport, setting: Setting) -> Iterable[Section]:
    questions = tuple(_question(each, setting) for each in report.questions)
    none = () if questions else ("There is no question to show here.",)
    yield Section(heading="Questions about you", paragraphs=none, items=questions)
    looks = tuple(_look(each, setting) for each in report.looks)
    none = () if looks else ("Nobody has opened it.",)
    yield Section(heading=f"Who of {setting.agency} opened your page", paragraphs=none, items=looks)
    statements = tuple(_statement(each, setting) for each in report.statements)
    none = () if statements else ("There is nothing to show here.",)
    yield Section(heading="What you, or somebody for you, said about sharing", paragraphs=none, items=statements)
    if report.corrections:
        items = (_item(each.at, setting, [("What", CORRECTIONS[each.correction])]) for each in report.corrections)
        yield Section(heading="Corrections to our records", items=tuple(items))
    if report.releases:
        releases = (
            _item(each.at, setting, [("Given to", _receiver(each.to, each.relation))]) for each in report.releases
        )
        yield Section(heading="Earlier reports like this one", items=tuple(releases))


def _look(look: Look, setting: Setting) -> Item:
    """One entry stands for a day, so the hour would say too much: the page may have been opened again later."""
    role = look.role or "role not stated"
    facts = [
        ("Who", role if setting.by_role else f"{look.name}, {role}"),
        ("Why", PURPOSES.get(look.purpose, look.purpose)),
        ("Reason in law, as they stated it", BASES.get(look.lawful_basis, look.lawful_basis)),
        ("What they could see", LOOKED_TO_REPORT if look.purpose == Purpose.SUBJECT_REQUEST else LOOKED),
    ]
    return Item(heading=_day(look.at, setting), facts=_plain(facts))


def _question(asked: QuestionAsked, setting: Setting) -> Item:
    role = asked.role or "role not stated"
    who = role if setting.by_role else f"{asked.name}, {role}"
    facts = [
        ("Who", f"{who}, {_agency(asked.member, setting)}"),
        ("Why", PURPOSES.get(asked.purpose, asked.purpose)),
    ]
    if asked.lawful_basis:
        facts.append(("Reason in law, as they stated it", BASES.get(asked.lawful_basis, asked.lawful_basis)))
    facts += _outcome(asked)
    facts += [(f"Later, on {_day(each.at, setting)}", FOLLOWED[each.said]) for each in asked.followed]
    if asked.agreement is not None:
        named = setting.agreements.get(asked.agreement) or ", version ".join(asked.agreement)
        facts.append(("Data sharing agreement", named))
    facts += [("Clause that allowed it", _clause(asked, rule, setting)) for rule in _rules(asked)]
    mark = "Emergency access: the usual limits were set aside" if asked.break_glass else ""
    return _item(asked.at, setting, facts, mark)


def _outcome(asked: QuestionAsked) -> Iterable[Fact]:
    if not asked.shared:
        reasons = [REASONS.get(reason, reason) for reason in asked.because]
        because = "; ".join(reasons) or "no service of ours was working with you at the time"
        yield "What was shared", "Nothing was shared."
        yield "Because", because
        return
    for each in dict.fromkeys((each.service, each.mode) for each in asked.shared):
        service, mode = each
        yield "What was shared", f"About {service_words(service)}: {MODES[mode]}."
    if any(each.against_objection for each in asked.shared):
        yield "Your objection", "You had objected. The clause lets us share all the same, and requires us to record it."


def _rules(asked: QuestionAsked) -> Iterable[str]:
    return dict.fromkeys(each.rule for each in asked.shared)


def _clause(asked: QuestionAsked, rule: str, setting: Setting) -> str:
    """In words where the agreement's text is at hand; its name in the text always, so that it can be found there."""
    said = setting.clauses.get((*asked.agreement, rule)) if asked.agreement is not None else None
    if said is None:
        return f'"{rule}"'
    shared = {each.service for each in asked.shared if each.rule == rule}
    return f'{said.told(shared)} (there called "{rule}")'


def _statement(statement: Statement, setting: Setting) -> Item:
    entry = statement.entry
    facts = [
        ("What", STATEMENTS[entry.kind]),
        ("Said by", RELATIONS[entry.giver.relation]),
        *_scope(entry, setting),
    ]
    if entry.until is not None:
        facts.append(("Until", f"{entry.until.day} {entry.until:%B %Y}"))
    if entry.method:
        facts.append(("How", entry.method))
    if entry.recorded_by and not setting.by_role:
        facts.append(("Recorded by", setting.accounts.get(entry.recorded_by, entry.recorded_by)))
    return _item(statement.at, setting, facts)


def _scope(entry: ConsentEntry, setting: Setting) -> Iterable[Fact]:
    if not entry.provisions:
        yield "About", "everything that we share"
    for line in entry.provisions:
        yield "About", _provision(line, entry.kind, setting)


def _provision(line: Provision, kind: ConsentKind, setting: Setting) -> str:
    said = MODES[line.mode] if line.permit else _refused(line)
    if kind is ConsentKind.CONSENT and not line.permit:
        said = f"not: {said}"
    parts = [said]
    if line.recipients:
        parts.append("for " + ", ".join(_agency(each, setting) for each in line.recipients))
    if line.except_recipients:
        parts.append("except for " + ", ".join(_agency(each, setting) for each in line.except_recipients))
    if line.services:
        parts.append("from " + ", ".join(map(service_words, line.services)))
    if line.purposes:
        parts.append("when the reason is: " + "; ".join(PURPOSES[each] for each in line.purposes))
    return "; ".join(parts)


def _refused(line: Provision) -> str:
    """A refusal names the least that may not be shown."""
    return "everything" if line.mode.value == 1 else f"{MODES[line.mode]}, and anything more"


def _item(at: float, setting: Setting, facts: Iterable[Fact], mark: str = "") -> Item:
    when = _local(at, setting)
    return Item(heading=f"{when.day} {when:%B %Y}, {when:%H:%M %Z}".rstrip(), facts=_plain(facts), mark=mark)


def _plain(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Much of it was written elsewhere."""
    return tuple((term, plain(value)) for term, value in facts)


def _agency(code: str, setting: Setting) -> str:
    return setting.agencies.get(code) or code


def _receiver(name: str, relation: str) -> str:
    return f"{name} ({RELATIONS[Relation(relation)]})"


def _day(at: float, setting: Setting) -> str:
    when = _local(at, setting)
    return f"{when.day} {when:%B %Y}"


def _local(at: float, setting: Setting) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(setting.zone)
