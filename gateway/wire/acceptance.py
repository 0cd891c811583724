"""What a node accepts of a new federation document."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.wire.federation import Federation, Member


class ChangeKind(StrEnum):
    NEW_MEMBER = "new-member"
    SECTOR = "sector"
    TYPE = "type"
    SIGNING_KEY = "signing-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """What waits for this node's own officer. `kid` names the key of a SIGNING_KEY change."""

    kind: ChangeKind
    member: str
    kid: str | None = None


def advance(held: Federation | None, received: Federation) -> Federation:
    """The newer of both; raises FederationRolledBack on a lower seq or the same seq with another hash."""
    raise NotImplementedError


def pending_changes(accepted: Mapping[str, Member], received: Federation) -> tuple[PendingChange, ...]:
    """`accepted`: the members as this node last accepted them (federation.members works)."""
    raise NotImplementedError


def without_pending(received: Federation, pending: Collection[PendingChange]) -> Federation:
    """The part of `received` that may be used now: pending members and keys left out."""
    raise NotImplementedError
