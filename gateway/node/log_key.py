"""The key under which a member's checkpoints stand, and its cosignatures as a witness: its listed ledger key."""

from consent_ledger.checkpoint import origin_of
from consent_ledger.note import NoteKey
from gateway.wire.federation import Member
from gateway.wire.keys import ledger_public


def log_key(federation: str, member: Member) -> NoteKey:
    """By what a note of that member is verified, as the federation document has it."""
    return NoteKey(name=origin_of(federation, member.id), public=ledger_public(member.ledger_key))
