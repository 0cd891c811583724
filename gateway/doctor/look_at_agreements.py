"""What a node has accepted of agreements and members, read from its databases without opening it."""

from datetime import UTC, datetime

from consent_ledger.read import accepted_agreements
from gateway.doctor.agreements import AgreementFacts
from gateway.doctor.looking import read_only
from gateway.errors import PatchworkError, StorageError
from gateway.node.agreements import listed_agreements
from gateway.node.membership_rows import read_persisted
from gateway.settings import NodeSettings
from gateway.wire.acceptance import PendingChange, pending_changes
from gateway.wire.federation import Federation, verify_document
from gateway.wire.operator import load_operator_keys


def look_at_agreements(settings: NodeSettings, document: Federation | None, now: float) -> AgreementFacts:
    """As far as it can be read; other checks name what cannot be."""
    data, federation = settings.node.data, settings.federation[0]
    try:
        listed = frozenset(agreement.sha256 for agreement in listed_agreements(federation.agreements))
    except PatchworkError:
        listed = frozenset()
    try:
        accepted = read_only(data / "ledger.db", accepted_agreements(federation.id))
    except StorageError:
        accepted = frozenset()
    return AgreementFacts(
        me=settings.node.member,
        today=datetime.fromtimestamp(now, UTC).date(),
        listed=listed,
        accepted=accepted,
        waiting=() if document is None else _waiting(settings, document),
    )


def _waiting(settings: NodeSettings, document: Federation) -> tuple[PendingChange, ...]:
    """What this node's officer has not accepted of other members, as node/membership.py has it."""
    federation = settings.federation[0]
    if federation.accept_members == "operator":
        return ()
    try:
        operator = load_operator_keys(federation.operator_key)
        kept = read_only(settings.node.data / "node.db", read_persisted(federation.id, frozenset()))
        documents = {
            sha256: verify_document(token, operator_key=operator, now=None) for sha256, token in kept.documents.items()
        }
    except PatchworkError:
        return ()
    accepted = {member: documents[sha256].members[member] for member, sha256 in kept.accepted.items()}
    changes = pending_changes(accepted, document)
    return tuple(change for change in changes if change.member != settings.node.member)
