"""Whether a client's reports show an entry: what an officer may decide about which entry (docs/ledger.md)."""

from datetime import date, timedelta
from enum import StrEnum

from consent_ledger.kinds import EntryKind
from consent_ledger.read import Entry
from consent_ledger.reader import LedgerReader
from gateway.errors import InputError

MAX_WITHHELD_DAYS = 366  # a risk is looked at again at least once a year


class Exemption(StrEnum):
    """Why an entry may be withheld: UK GDPR article 15(4), Data Protection Act 2018 schedules 2 and 3."""

    SERIOUS_HARM = "serious-harm"
    REFUGE = "refuge"
    POLICE_ENQUIRY = "police-enquiry"
    CHILD_ABUSE = "child-abuse"
    COURT = "court"
    OTHERS_RIGHTS = "others-rights"


async def in_a_report(ledger: LedgerReader, seq: int) -> tuple[Entry, int]:
    """An entry that somebody's report shows or may show, and whose; raises InputError if it is in nobody's."""
    found = await ledger.entry(seq)
    if found is None:
        raise InputError(f"there is no entry {seq}")
    entry, person_id = found
    if entry.body is None:
        raise InputError(f"entry {seq} has been erased: no report shows it")
    if person_id is None or entry.body["kind"] == EntryKind.REPORT_DECISION:
        raise InputError(f"entry {seq} is in nobody's report")
    return entry, person_id


def check_withheld_until(last: date, today: date) -> None:
    """Raises InputError for a day that is over or too far ahead."""
    if not today <= last <= today + timedelta(days=MAX_WITHHELD_DAYS):
        raise InputError(f"a day from today on, at most {MAX_WITHHELD_DAYS} days ahead; then decide again", "until")


async def withheld_until(ledger: LedgerReader, seq: int, person_id: int) -> date | None:
    """The last day on which an officer has left an entry out of reports; None if the newest decision shows it."""
    until = ""
    for entry in await ledger.about([person_id]):
        body = entry.body
        if body is not None and body["kind"] == EntryKind.REPORT_DECISION and body["about"] == seq:
            until = "" if body["show"] else body["until"]
    return date.fromisoformat(until) if until else None
