"""Ledger entries as lines of FHIR AuditEvents (NDJSON), for a file or a download."""

from collections.abc import Iterator

import orjson

from consent_ledger.read import Entry
from gateway.fhir.audit_event import Auditor, Party, audit_events, erased_event
from gateway.wire.federation import Federation


def auditor_of(*, me: str, federation: str, hub: str, received: Federation | None) -> Auditor:
    """Whose ledger it is: a member id, their federation and its hub, and what its document says of members."""
    members = {} if received is None else received.members
    return Auditor(
        me=me,
        federation=federation,
        hub=hub,
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
