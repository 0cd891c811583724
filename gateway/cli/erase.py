"""`patchwork ledger erase`: destroy the secrets over all that the record says of a person.

(1) the person's records must be gone or shielded: erasing forgets objections, and nobody may be found without theirs
(2) say what is lost, and what stands elsewhere and is not reached; ask
(3) forget what the pages remember of the person (web.db)
(4) put the erasure on record, naming nobody
(5) destroy the secrets of all the person's ids
"""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import typer

from consent_ledger.case import CaseId
from consent_ledger.governance import ErasureEntry
from consent_ledger.kinds import EntryKind
from consent_ledger.read import Entry
from gateway.accounts.erase import forget_person
from gateway.app.web_database import WEB_FILE, open_web_database
from gateway.cli.officer import By, Person, Reason, noted
from gateway.cli.options import Config, InFederation, Yes, ask_first, node_of, opened, run
from gateway.cli.whom import former_names, known_person
from gateway.errors import InputError
from gateway.node.cases import open_about
from gateway.settings import NodeSettings

KEEP_EVIDENCE = (
    "nothing was erased: one secret covers all that is on record of a person, so the rest cannot be erased without the "
    "evidence of disclosures. To keep that under article 17(3) of the UK GDPR, erase nothing, and tell the client why"
)
STILL_FOUND = (
    "this person can still be found here, and erasing would forget their objections and withdrawals: first have their "
    "case system remove or restrict the record, and import again"
)
_WORDS = {
    EntryKind.ANSWERED: ("question", "questions", " answered: evidence of who learnt what"),
    EntryKind.BREAK_GLASS: ("emergency access", "emergency accesses", ": evidence of who learnt what"),
    EntryKind.LOOKED: ("day", "days", " on which a colleague here opened the page"),
    EntryKind.CONSENT: ("consent", "consents", ""),
    EntryKind.WITHDRAWAL: ("withdrawal", "withdrawals", ""),
    EntryKind.OBJECTION: ("objection", "objections", ""),
    EntryKind.CORRECTION: ("correction", "corrections", ""),
}


def erase(
    config: Config,
    federation: InFederation,
    person: Person,
    by: By = "",
    reason: Reason = "",
    keep_evidence: Annotated[
        bool, typer.Option("--keep-evidence", help="Not possible together with erasing: says why.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Erase for good all that the record says of a person; the record still verifies."""
    if keep_evidence:
        raise InputError(KEEP_EVIDENCE)
    run(_erase(node_of(config, federation), person, by, reason, yes=yes))


async def _erase(settings: NodeSettings, record: str, by: str, reason: str, *, yes: bool) -> None:
    async with opened(settings) as node:
        ledger = node.parts.ledger
        person = await known_person(node, record)
        if person.searchable:  # (1)
            raise InputError(STILL_FOUND)
        keys = await ledger.key_ids(person.person_ids)
        if not keys:
            raise InputError("nothing is on record of this person")
        entries = await ledger.about(person.person_ids)
        still_open = await node.database.read(open_about(person.person_ids, settings.federation[0].id))
        elsewhere = await former_names(node, entries, person)
        for line in (*_lost(entries), *_unsettled(still_open), *_elsewhere(elsewhere)):  # (2)
            typer.echo(line, err=True)
        entry = ErasureEntry(
            by=noted(by, "--by", "Who decides"),
            reason=noted(reason, "--reason", "Why (this stays on record: name nobody)"),
            keys=tuple(keys),
        )
        ask_first("Erase all of this for good?", yes=yes)
        await ledger.settle()  # so that little is left to set aside for the counts
        if (settings.node.data / WEB_FILE).exists():  # (3)
            web = await open_web_database(node)
            try:
                await web.write(forget_person(person.person_ids))
            finally:
                await web.close()
        appended = await ledger.note(entry)  # (4)
        for person_id in person.person_ids:  # (5)
            await ledger.erase(person_id)
    typer.echo(f"Erased. That it was, naming nobody, is on record as entry {appended.seq}.")
    typer.echo("Backups of keys.db still hold the secrets: destroy those, too, or let them expire.")


def _lost(entries: Iterable[Entry]) -> Iterable[str]:
    counted = Counter(EntryKind(entry.body["kind"]) for entry in entries if entry.body is not None)
    yield "Nobody will be able to read these again:"
    for kind, (one, several, more) in _WORDS.items():
        if counted[kind]:
            yield f"- {counted[kind]} {one if counted[kind] == 1 else several}{more}"
    if others := counted.total() - sum(counted[kind] for kind in _WORDS):
        yield f"- {others} other {'entry' if others == 1 else 'entries'} about this person"
    yield "Should the person come back, nothing that they agreed or objected to is known any more."


def _unsettled(still_open: Iterable[CaseId]) -> Iterable[str]:
    if named := ", ".join(map(str, still_open)):
        yield f"Open about this person: {named} (patchwork cases). Settle it first: afterwards nobody can look into it."


def _elsewhere(former: Iterable[str]) -> Iterable[str]:
    """An entry stands under one secret, and stays there when records are parted."""
    former = tuple(former)
    if not former:
        return
    yield f"Once one person with this one, and not erased: {', '.join(former)}."
    yield (
        "Entries about this person of that time may stand with them. Before you go on, look at the report of each "
        "(patchwork ledger report). If such an entry is there, and that record is to be erased, too, erase it "
        "likewise; if it is somebody else's, erasing would take theirs as well: have the entry withheld from their "
        "reports (patchwork ledger withhold), and tell the client that it remains."
    )
