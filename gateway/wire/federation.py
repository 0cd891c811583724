"""The federation document: who is a member, with which keys and agreements."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.wire.keys import Jwk, SigningKey, VerifyKey
from mappings.vocabulary import OrganisationType, Sector

HUB = "hub"  # `iss` of what a hub signs; never a member id

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKey:
    """A signing key with its validity [not_before, not_after) in epoch seconds; `rotation` is its predecessor's word."""

    key: VerifyKey
    not_before: int
    not_after: int
    rotation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One agency. `identifier` and `duty_contact` are (system, value) pairs; no endpoint: the node dials out."""

    id: str
    identifier: Pairs
    name: str
    type: OrganisationType
    sector: Sector
    status: str  # active | suspended
    keys: tuple[MemberKey, ...]
    ledger_key: Jwk
    endpoint: str | None
    duty_contact: Pairs

    @property
    def active(self) -> bool:
        return self.status == "active"

    def keys_at(self, now: float) -> dict[str, VerifyKey]:
        """Signing keys in force at `now`, by kid (none if suspended)."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementBytes:
    """An agreement as signed: exact bytes, and the members' `patchwork-agreement+jwt` signatures."""

    text: bytes
    signatures: tuple[str, ...]

    @property
    def sha256(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """A verified federation document."""

    name: str
    operator: str
    seq: int
    sha256: str  # hex, of token
    issued_at: int
    expires_at: int
    members: Mapping[str, Member]
    agreements: tuple[AgreementBytes, ...]
    hub_keys: Mapping[str, VerifyKey]  # by kid
    token: bytes

    def member(self, member_id: str) -> Member:
        """Raises NotAuthentic for a stranger or a suspended member."""
        raise NotImplementedError

    def active_members(self) -> tuple[Member, ...]:
        raise NotImplementedError

    def keys_of(self, issuer: str, now: float) -> Mapping[str, VerifyKey]:
        """Keys in force of an active member, or of the hub for HUB; empty for anybody else."""
        raise NotImplementedError


def sign_document(
    *,
    operator: str,
    name: str,
    seq: int,
    members: tuple[Member, ...],
    agreements: tuple[AgreementBytes, ...],
    hub_keys: tuple[VerifyKey, ...],
    key: SigningKey,
    now: float,
    lifetime_s: int,
) -> Federation:
    raise NotImplementedError


def verify_document(token: str | bytes, *, operator_key: VerifyKey, now: float | None) -> Federation:
    """`now` None reads an archived document; raises MalformedMessage, NotAuthentic, FederationStale."""
    raise NotImplementedError
