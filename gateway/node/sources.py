"""Opens the sources that the settings name, and puts on record what they say of consent."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from connectors.contract import SourceError
from connectors.registry import build
from consent_ledger.append import HeldConsents
from consent_ledger.consent import ConsentEntry, ConsentKind, Provision
from consent_ledger.errors import HeadMoved, LedgerError
from consent_ledger.ledger import Ledger
from consent_ledger.read import consents_of
from gateway.database.contract import Database
from gateway.errors import ConfigurationError
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportSource, RecordConsents
from gateway.node.storage_fault import storage_fault
from gateway.settings import SourceSettings
from mappings.model import ConsentStatement
from mappings.spec import SpecError, load
from mappings.vocabulary import Mode

METHOD = "as the case system says"
MAX_TRIES = 5  # while others record something of the same people


def open_source(settings: SourceSettings, *, federation: str) -> ImportSource:
    """Mapping and connector of one source; raises ConfigurationError for a mapping or an option that cannot be used."""
    try:
        named = settings.mapping
        spec = load(Path(named) if named.endswith(".toml") else named)
        connector = build(spec.connector, {**spec.options, **settings.options}, expects=spec.columns)
    except (SpecError, SourceError) as error:
        raise ConfigurationError(f"source {settings.name}: {error}") from error
    return ImportSource(
        name=settings.name,
        federation=federation,
        connector=connector,
        mapping=spec,
        max_removal_share=settings.max_removal_share,
    )


def consent_recorder(ledger: Ledger, database: Database) -> RecordConsents:
    """Records imported statements in the ledger, each once, however often a broken-off run delivers it, and however
    many imports deliver it at a time.

    What is delivered together is appended together, in its order: a consent recorded after the objection that
    followed it would lift that objection. So would one that another import had recorded before: what has been read is
    held to in the transaction that appends, and read again if it has changed.
    """

    async def record(consents: Sequence[ImportedConsent]) -> None:
        persons = tuple(sorted({consent.person_id for consent in consents}))
        for tries_left in reversed(range(MAX_TRIES)):
            entries, head = await database.read(consents_of(persons))
            recorded = {entry.recorded_by for entry in entries}
            new = [(consent.person_id, _entry(consent)) for consent in consents if _reference(consent) not in recorded]
            if not new:
                return
            try:
                await ledger.record_all(new, held=HeldConsents(persons=persons, head=head))
            except HeadMoved as error:
                if not tries_left:
                    raise storage_fault(error) from error
            except LedgerError as error:
                raise storage_fault(error) from error
            else:
                return

    return record


def over_already(consents: Sequence[ImportedConsent], today: date) -> int:
    """How many of these permissions had ended before they were read: old ones, or a mistyped year."""
    days = (_last_day(each.statement) for each in consents if each.statement.permit and not each.withdrawn)
    return sum(day is not None and day < today for day in days)


def _entry(consent: ImportedConsent) -> ConsentEntry:
    """A statement as a ledger entry; an ended permission is a withdrawal of just what it had allowed.

    Every statement becomes one, so that none keeps those behind it from the record. One that the ledger cannot hold as
    it stands (from an import before the mapping refused such) is held as what discloses least: an objection, or the
    withdrawal of what was allowed, to everything.
    """
    kind = ConsentKind.CONSENT if consent.statement.permit else ConsentKind.OBJECTION
    if consent.withdrawn:
        kind = ConsentKind.WITHDRAWAL
    try:
        return _exactly(consent, kind)
    except ValueError:
        return ConsentEntry(
            kind=ConsentKind.OBJECTION if kind is ConsentKind.OBJECTION else ConsentKind.WITHDRAWAL,
            given_on=consent.statement.given_on,
            method=METHOD,
            recorded_by=_reference(consent),
        )


def _exactly(consent: ImportedConsent, kind: ConsentKind) -> ConsentEntry:
    """The statement as it stands; raises ValueError if the ledger cannot hold it."""
    statement = consent.statement
    permit = kind is ConsentKind.CONSENT
    line = Provision(
        permit=permit,
        mode=max(statement.modes or (Mode.SCHEDULE,)) if permit else _least_refused(consent),
        purposes=statement.purposes,
        recipients=statement.recipients,
        except_recipients=statement.except_recipients,
        services=statement.services,
    )
    return ConsentEntry(
        kind=kind,
        provisions=(line,),
        until=None if consent.withdrawn else _last_day(statement),
        given_on=statement.given_on,
        method=METHOD,
        recorded_by=_reference(consent),
    )


def _least_refused(consent: ImportedConsent) -> Mode:
    """Of an objection the least mode that it names ("no dates of visits" leaves the rest); of what has ended, all."""
    return Mode.CALLBACK if consent.withdrawn else min(consent.statement.modes or (Mode.CALLBACK,))


def _last_day(statement: ConsentStatement) -> date | None:
    """The day a statement ends, of a year or a month alone the one that discloses least.

    A permission is over at the start of that year or month, an objection stands to its end.
    """
    if statement.until is None:
        return None
    year, month, day = (int(part) for part in f"{statement.until}-0-0".split("-")[:3])
    if day:
        return date(year, month, day)
    if statement.permit:
        return date(year, month or 1, 1)
    last_month = month or 12
    return date(year, last_month, monthrange(year, last_month)[1])


def _reference(consent: ImportedConsent) -> str:
    ended = ":ended" if consent.withdrawn else ""
    return f"source:{consent.source}:{consent.reference}{ended}"
