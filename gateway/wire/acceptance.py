"""What a node accepts of a new federation document (docs/wire.md, "Federation document")."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from gateway.errors import FederationRolledBack, WireError
from gateway.wire import jws
from gateway.wire.federation import Federation, Member, MemberKey
from gateway.wire.join import ROTATION_TYP, verify_rotation
from gateway.wire.limits import MAX_STATEMENT_BYTES


class ChangeKind(StrEnum):
    """What an operator must not change without this node's own officer."""

    NEW_MEMBER = "new-member"
    SECTOR = "sector"
    TYPE = "type"  # agreements name recipients by type: a new type opens doors as a new member does
    SIGNING_KEY = "signing-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """One change that waits for the officer; `kid` names the key of a SIGNING_KEY change."""

    kind: ChangeKind
    member: str
    kid: str | None = None


def advance(held: Federation | None, received: Federation) -> Federation:
    """The document to hold from now on, both verified.

    Raises FederationRolledBack on another federation, a lower seq, or the same seq with another hash.
    """
    if held is None:
        return received
    if received.name != held.name:
        raise FederationRolledBack("a document of another federation")
    if received.seq < held.seq:
        raise FederationRolledBack(f"seq went back from {held.seq} to {received.seq}")
    if received.seq == held.seq and received.sha256 != held.sha256:
        raise FederationRolledBack(f"seq {held.seq} has two contents")
    return received


def pending_changes(accepted: Mapping[str, Member], received: Federation) -> tuple[PendingChange, ...]:
    """What waits in `received`; `accepted` are the members as this node last accepted each (none: an empty mapping)."""
    pending: list[PendingChange] = []
    for member in received.members.values():
        known = accepted.get(member.id)
        if known is None:
            pending.append(PendingChange(kind=ChangeKind.NEW_MEMBER, member=member.id))
            continue
        if member.sector != known.sector:
            pending.append(PendingChange(kind=ChangeKind.SECTOR, member=member.id))
        if member.type != known.type:
            pending.append(PendingChange(kind=ChangeKind.TYPE, member=member.id))
        trusted = _trusted_keys(known, member, received.name)
        pending += [
            PendingChange(kind=ChangeKind.SIGNING_KEY, member=member.id, kid=key.key.kid)
            for key in member.keys
            if key.key.kid not in trusted
        ]
    return tuple(pending)


def without_pending(received: Federation, pending: Collection[PendingChange]) -> Federation:
    """The part of `received` that may be used now: whole members left out, or single keys. Hash and seq stay."""
    keys = {change.kid for change in pending if change.kind is ChangeKind.SIGNING_KEY}
    members = {change.member for change in pending if change.kind is not ChangeKind.SIGNING_KEY}
    usable = {
        member.id: replace(member, keys=tuple(key for key in member.keys if key.key.kid not in keys))
        for member in received.members.values()
        if member.id not in members
    }
    return replace(received, members=MappingProxyType(usable))


def _trusted_keys(known: Member, member: Member, federation: str) -> set[str]:
    """Kids accepted before, and those that a chain of rotations from such a key reaches.

    A predecessor vouches only while it is listed: a revoked key is taken out of the document, and its word with it.
    """
    accepted = {key.key.kid for key in known.keys}
    trusted = {key.key.kid: key for key in member.keys if key.key.kid in accepted}
    waiting = [key for key in member.keys if key.key.kid not in accepted]
    grew = True
    while grew:
        vouched = [key for key in waiting if _vouched(key, trusted, member.id, federation)]
        trusted |= {key.key.kid: key for key in vouched}
        waiting = [key for key in waiting if key.key.kid not in trusted]
        grew = bool(vouched)
    return set(trusted)


def _vouched(key: MemberKey, trusted: Mapping[str, MemberKey], member: str, federation: str) -> bool:
    if key.rotation is None:
        return False
    try:
        old = trusted.get(jws.signer(key.rotation, typ=ROTATION_TYP, max_bytes=MAX_STATEMENT_BYTES))
        if old is None:
            return False
        said_at = verify_rotation(key.rotation, new=key.key, old=old.key, member=member, federation=federation)
    except WireError:
        return False  # no word at all: the key waits for the officer
    return old.not_before <= said_at < old.not_after
