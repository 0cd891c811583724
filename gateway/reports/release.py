"""Making the report of who asked about a client, for an officer who will release it: the same for command and page.

(1) read what is on record under all of the person's ids (the caller, by `Ledger.about`)
(2) make the document, and a list of what it leaves out, which is for the officer alone
(3) the officer says who receives it, after which checks of identity and authority; this goes on record (ReleaseEntry)
(4) only then is the document given out
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from consent_ledger.read import Entry
from consent_ledger.report import HeldBack, access_report
from gateway.fhir.text import plain
from gateway.policy.agreement import Agreement
from gateway.policy.in_force import publish
from gateway.reports.access import Setting, access_document
from gateway.reports.clauses import agreement_names, clause_words
from gateway.reports.document import Document
from gateway.wire.federation import Federation


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The document, the entries that it was made of, and which of them it leaves out."""

    document: Document
    entries: Sequence[Entry]
    held: HeldBack


def prepare_report(entries: Sequence[Entry], setting: Setting, *, hold_days: int) -> Prepared:
    """(2) `entries` are all of one person, under all their ids, in ledger order."""
    now = datetime.fromtimestamp(setting.made_at, UTC)
    made, held = access_report(entries, now=now, today=now.astimezone().date(), hold_days=hold_days)
    return Prepared(document=access_document(made, setting), entries=entries, held=held)


def setting_of(
    *,
    member: str,
    received: Federation | None,
    agreements: Iterable[Agreement],
    about: str,
    now: float,
    by_role: bool,
    in_doubt: bool,
    restored: Sequence[int],
    accounts: Mapping[str, str] | None = None,
    zone: tzinfo | None = None,
) -> Setting:
    """What a report needs besides the entries; `agreements` are those that the settings list, `member` this agency."""
    agencies: dict[str, str] = {} if received is None else {m.id: plain(m.name) for m in received.members.values()}
    carried = () if received is None else (each.agreement for each in publish(received).values())
    known = (*carried, *agreements)
    return Setting(
        agency=agencies.get(member, member),
        about=about,
        made_at=now,
        by_role=by_role,
        agencies=agencies,
        agreements=agreement_names(known),
        clauses=clause_words(known),
        in_doubt=in_doubt,
        restored=tuple(restored),
        accounts=accounts or {},
        zone=zone,
    )


def recorders(entries: Iterable[Entry]) -> set[str]:
    """Who has recorded what somebody said: names, or public ids of accounts."""
    return {str(each.body["recorded_by"]) for each in entries if each.body and "recorded_by" in each.body}
