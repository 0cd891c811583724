"""The keys under which a member's checkpoints stand, and its cosignatures as a witness: its listed ledger keys."""

from consent_ledger.checkpoint import origin_of
from consent_ledger.note import NoteKey
from gateway.wire.federation import Member
from gateway.wire.keys import ledger_public


def log_keys(federation: str, member: Member, now: float | None = None) -> tuple[NoteKey, ...]:
    """By which of them a new note of that member is verified at `now`; None: one of the past, by any that is listed."""
    jwks = member.ledger_keys if now is None else member.ledger_keys_at(now)
    return tuple(NoteKey(name=origin_of(federation, member.id), public=ledger_public(jwk)) for jwk in jwks)
