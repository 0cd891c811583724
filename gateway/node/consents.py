"""What sources say of people's consent, on its way into the ledger.

A person with a statement that the ledger has yet to record cannot be found (`same_person.index_pending`): between
learning of an objection and acting on it, nothing is disclosed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.database.contract import Statement, Work
from gateway.node.same_person import index_pending
from mappings.model import ConsentStatement
from mappings.vocabulary import Mode, Purpose

MAX_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedConsent:
    """One statement for the ledger about the person with row id `person_id`.

    `reference` is the same when a run that broke off delivers a statement again: the ledger records it once.
    `withdrawn`: the source had this permission and has it no more, so it ends.
    """

    reference: str
    source: str
    person_id: int
    statement: ConsentStatement
    withdrawn: bool


def unrecorded(source_id: int) -> Work[list[ImportedConsent]]:
    """The next statements to record: ended permissions first, then from old to new, of one day objections last."""
    rows = yield Statement(
        "SELECT c.reference, s.name, c.person_id, c.statement, c.withdrawn "
        "FROM consent c JOIN import_source s ON s.id = c.source_id "
        "WHERE c.recorded = 0 AND c.source_id = ? AND c.person_id IS NOT NULL "
        "ORDER BY c.withdrawn DESC, c.given_on, c.permit DESC, c.id LIMIT ?",
        (source_id, MAX_AT_ONCE),
    )
    return [
        ImportedConsent(
            reference=reference,
            source=source,
            person_id=person_id,
            statement=_statement(orjson.loads(text)),
            withdrawn=bool(withdrawn),
        )
        for reference, source, person_id, text, withdrawn in rows
    ]


def mark_recorded(consents: Sequence[ImportedConsent]) -> Work[None]:
    """Note that the ledger has them; the people concerned can be found again."""
    each = [(consent.reference,) for consent in consents]
    yield Statement("DELETE FROM consent WHERE reference = ? AND withdrawn = 1", each)
    yield Statement("UPDATE consent SET recorded = 1 WHERE reference = ?", each)
    yield from index_pending()


def _statement(stored: dict[str, Any]) -> ConsentStatement:
    codes = {
        "purposes": tuple(Purpose(code) for code in stored["purposes"]),
        "modes": tuple(Mode(code) for code in stored["modes"]),
        "recipients": tuple(stored["recipients"]),
        "except_recipients": tuple(stored["except_recipients"]),
        "services": tuple(stored["services"]),
    }
    return ConsentStatement(**stored | codes)
