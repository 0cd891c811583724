"""Who is a member, with which keys and agreements: what a federation document says (docs/wire.md).

Frozen types; federation.py reads and writes them, and is what other packages import.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import NotAuthentic
from gateway.wire.hand_over import OPERATOR, HandOver
from gateway.wire.keys import Jwk, VerifyKey
from gateway.wire.ledger_keys import FormerLedgerKey
from mappings.vocabulary import OrganisationType, Sector

HUB: Final = "hub"  # `iss` of what a hub signs
NO_MEMBERS_IDS: Final = frozenset({HUB, OPERATOR})
ACTIVE: Final = "active"
SUSPENDED: Final = "suspended"

Pairs = tuple[tuple[str, str], ...]
_NOBODY: Mapping[str, VerifyKey] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKey:
    """A signing key, in force from `not_before` until `not_after` (epoch seconds).

    `rotation` is the statement by which its predecessor names it (join.py), where it has one.
    """

    key: VerifyKey
    not_before: int
    not_after: int
    rotation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One agency. `identifier` (ODS code, charity number) and `duty_contact` are (system, value) pairs.

    `endpoint` is None when the node dials out. `status` is ACTIVE or SUSPENDED. `ledger_until`: when `ledger_key` ends
    (epoch seconds), if it does; `ledger_before`: the keys that it followed, the oldest first.
    """

    id: str
    identifier: Pairs
    name: str
    type: OrganisationType
    sector: Sector
    status: str
    keys: tuple[MemberKey, ...]
    ledger_key: Jwk
    endpoint: str | None
    duty_contact: Pairs
    ledger_until: int | None = None
    ledger_before: tuple[FormerLedgerKey, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the member may ask and be asked."""
        return self.status == ACTIVE

    def keys_at(self, now: float) -> dict[str, VerifyKey]:
        """Signing keys in force at `now`, by kid."""
        return {key.key.kid: key.key for key in self.keys if key.not_before <= now < key.not_after}

    def key_counts_until(self, kid: str, now: float) -> float:
        """When a key ends, or a later one begins that takes its place; 0 for a key that is not listed."""
        place = next((place for place, key in enumerate(self.keys) if key.key.kid == kid), None)
        if place is None:
            return 0.0
        begins = [key.not_before for key in self.keys[place + 1 :] if key.not_before > now]
        return float(min([self.keys[place].not_after, *begins]))

    @property
    def ledger_keys(self) -> tuple[Jwk, ...]:
        """All that are listed, also those that have had their time: for what was signed in it."""
        return (*(former.jwk for former in self.ledger_before), self.ledger_key)

    def ledger_keys_at(self, now: float) -> tuple[Jwk, ...]:
        """Those that may sign a checkpoint at `now`, the newest last."""
        former = tuple(each.jwk for each in self.ledger_before if now < each.until)
        return former if self.ledger_until is not None and self.ledger_until <= now else (*former, self.ledger_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementBytes:
    """An agreement as it was signed: its exact bytes, and the members' `patchwork-agreement+jwt` over their hash."""

    text: bytes
    signatures: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Hex digest of the exact bytes."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """A verified federation document. `sha256` (hex) is that of `token`, `hub_keys` go by kid.

    `hub_ends`: when a hub's key ends, by kid (epoch seconds); one that is not in it has no end.
    `hand_over`: the word of the operator's key that signed this for the next, whom this node may not have accepted.
    """

    name: str
    operator: str
    seq: int
    sha256: str
    issued_at: int
    expires_at: int
    members: Mapping[str, Member]
    agreements: tuple[AgreementBytes, ...]
    hub_keys: Mapping[str, VerifyKey]
    token: bytes = field(repr=False)
    hub_ends: Mapping[str, int] = field(default_factory=dict)
    hand_over: HandOver | None = None

    def member(self, member_id: str) -> Member:
        """An active member; raises NotAuthentic for a stranger or a suspended one."""
        member = self.members.get(member_id)
        if member is None:
            raise NotAuthentic("not a member of this federation")
        if not member.active:
            raise NotAuthentic(f"{member.id} is suspended")
        return member

    def active_members(self) -> tuple[Member, ...]:
        """The members that may ask and be asked, in order of id."""
        return tuple(self.members[member_id] for member_id in sorted(self.members) if self.members[member_id].active)

    def hub_keys_at(self, now: float) -> dict[str, VerifyKey]:
        """Hubs' keys in force at `now`, by kid, the newest last."""
        return {kid: key for kid, key in self.hub_keys.items() if now < self.hub_ends.get(kid, float("inf"))}

    def keys_of(self, issuer: str, now: float) -> Mapping[str, VerifyKey]:
        """Keys in force of an active member, or of the hub for HUB; none for anybody else."""
        if issuer == HUB:
            return self.hub_keys_at(now)
        member = self.members.get(issuer)
        return member.keys_at(now) if member is not None and member.active else _NOBODY
