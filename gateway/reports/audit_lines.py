"""Ledger entries as lines of FHIR AuditEvents (NDJSON), for a file or a download."""

from collections.abc import Iterator, Sequence

import orjson

from consent_ledger.read import Entry
from gateway.fhir.audit_event import Auditor, Party, audit_events, erased_event
from gateway.wire.federation import Federation


def auditor_of(*, me: str, federation: str, hubs: Sequence[str], received: Federation | None) -> Auditor:
    """Whose ledger it is: a member id, their federation and its hubs, and what its document says of members.

    Of several hubs any may have carried a question, so that none is named by its address.
    """
    members = {} if received is None else received.members
    return Auditor(
        me=me,
        federation=federation,
        hub=hubs[0] if len(hubs) == 1 else "urn:patchwork:member:hub",
        members={each.id: Party(name=each.name, address=each.endpoint or "") for each in members.values()},
    )


def lines_of(entry: Entry, auditor: Auditor) -> Iterator[bytes]:
    """One entry's events, a line each."""
    if entry.body is None:
        header = entry.header
        yield line_of(erased_event(entry.seq, entry.leaf_hash, header.kind_class, header.hour, auditor))
        return
    for event in audit_events(entry.seq, entry.leaf_hash, entry.body, auditor):
        yield line_of(event)


def line_of(resource: object) -> bytes:
    """One resource as a line."""
    return orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE)
