"""Entries of one ledger, one of each kind that AuditEvents tell apart, and the events that they become."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consent_ledger.consent import ConsentEntry, ConsentKind, to_body
from consent_ledger.entries import AnsweredEntry, AskedEntry, Asker, Correction, CorrectionEntry, ReceivedEntry
from consent_ledger.governance import ErasureEntry, ReleaseEntry, ReportDecision
from consent_ledger.looked import LookedEntry
from gateway.fhir.audit_event import Auditor, Party, Resource, audit_events, erased_event
from tests.federation import NOW

AUDIT_FOLDER = Path(__file__).parent.parent / "golden" / "audit_events"
LEAF = "ab" * 32
JTI = "6f2c1a52-3f6b-4d6f-9a53-0c2f6a3c9f10"
ASKER = Asker(
    member="childrens-services",
    practitioner="asker-1",
    name="Alex Asker",
    role="Social worker",
    organisation="childrens-services",
)
AUDITOR = Auditor(
    me="housing",
    federation="northshire",
    hub="https://hub.example.org",
    members={
        "childrens-services": Party(name="Northshire Children's Services", address="https://children.example.org"),
        "housing": Party(name="Orchard Homes", address="https://housing.example.org"),
        "police": Party(name="Northshire Police", address=""),
    },
)
_PERMIT = {"effect": "permit", "rule": "meals-with-consent", "mode": "practitioner", "consent": {"entry": 4}}
_DENY = {"effect": "deny", "rule": "meals-with-consent", "reason": "auth-too-weak", "consent": {"entry": 4}}
_NO_CONSENT = {"effect": "deny", "rule": "meals-with-consent", "reason": "no-consent", "consent": {"entry": None}}


def _answered(outcome: str, *decisions: dict[str, Any], person_id: int | None = 7) -> dict[str, Any]:
    entry = AnsweredEntry(
        issuer="childrens-services",
        jti=JTI,
        expires_at=int(NOW) + 60,
        query_sha256="c" * 64,
        asker=ASKER,
        purpose="COC",
        outcome=outcome,
        person_id=person_id,
        consent_head=None if person_id is None else 4,
        decisions=decisions,
    )
    return {**entry.body(), "kind": "answered"}


BODIES: dict[str, dict[str, Any]] = {
    "disclosed_by_consent": _answered("teams", _PERMIT),
    "refused_despite_consent": _answered("nothing-to-disclose", _DENY),
    "refused_without_consent": _answered("nothing-to-disclose", _NO_CONSENT),
    "unknown": _answered("nothing-to-disclose", person_id=None),
    "asked": {
        **AskedEntry(
            jti=JTI,
            query="a.b.c",
            query_sha256="c" * 64,
            asker=ASKER,
            purpose="COC",
            recipients=("housing", "police"),
        ).body(),
        "kind": "asked",
    },
    "received": {
        **ReceivedEntry(
            jti=JTI, outcomes={"police": "teams", "housing": "nothing-to-disclose"}, answers={"police": "a.b.c"}
        ).body(),
        "kind": "received",
    },
    "objection": {
        **to_body(ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="Wendy Smith")),
        "kind": "objection",
        "person_id": 7,
    },
    "correction": {
        **CorrectionEntry(person_id=7, other_id=8, correction=Correction.SAME, by="Wendy Smith", reason="r").body(),
        "kind": "correction",
    },
    "looked": {
        **LookedEntry(
            member="housing",
            account="0" * 32,
            name="Wendy Smith",
            role="Housing officer",
            purpose="COC",
            lawful_basis="public-task",
            person_id=7,
            at=NOW,
            secret=b"",
        ).body(),
        "kind": "looked",
    },
    "withheld": {
        **ReportDecision(about=3, show=False, reason="refuge", by="Wendy Smith", until="2026-12-31").body(),
        "kind": "report-decision",
        "person_id": 7,
    },
    "erasure": {**ErasureEntry(by="Wendy Smith", reason="request 17", keys=("00" * 16,)).body(), "kind": "erasure"},
    "release": {
        **ReleaseEntry(
            by="Wendy Smith", to="Kit", relation="person", identity="seen", authority="", forms=("pdf",)
        ).body(),
        "kind": "release",
        "person_id": 7,
    },
}
CASES = (*BODIES, "erased")


def events(name: str) -> list[Resource]:
    """What one case becomes."""
    return list(_events(name))


def _events(name: str) -> Iterator[Resource]:
    if name == "erased":
        yield erased_event(9, LEAF, "disclosure", int(NOW) // 3600, AUDITOR)
    else:
        yield from audit_events(9, LEAF, {**BODIES[name], "at": NOW}, AUDITOR)
