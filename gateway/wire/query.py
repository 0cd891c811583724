"""The question (docs/wire.md, "Question")."""

from dataclasses import dataclass

from gateway.errors import WireError
from gateway.wire.federation import Federation, Member, Pairs
from gateway.wire.keys import SigningKey
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose


class FederationBehind(WireError):
    """The sender holds a newer federation document than we do: refetch, then verify again."""

    code = "federation-behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingPractitioner:
    """Who asks; `telecom` are (system, value) pairs, preferred first."""

    id: str
    name: str
    role: str
    organisation: str
    telecom: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """One name as typed: parts where known, and/or `text`."""

    given: tuple[str, ...] = ()
    family: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is asked about. `birth_date` may be partial (ISO); `age` in years at the day of asking."""

    names: tuple[NameParts, ...] = ()
    birth_date: str | None = None
    age: int | None = None
    postcode: str | None = None
    identifiers: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question; times in epoch seconds. `recipients` sorted member ids; `reply_key` 1,216 raw bytes."""

    federation: str
    issuer: str
    issued_at: int
    expires_at: int
    jti: str
    recipients: tuple[str, ...]
    fed_seq: int
    fed_sha256: str
    practitioner: AskingPractitioner
    auth_method: AuthMethod
    auth_time: int
    purpose: Purpose
    lawful_basis: LawfulBasis
    agreement_uri: str
    agreement_version: str
    break_glass: str | None = None
    mode: Mode
    subject: Subject
    only_certain: bool = False
    reply_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedQuery:
    """The compact JWS, what it says, and its SHA-256 (hex)."""

    token: bytes
    query: Query
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedQuery:
    """A question whose sender is proven. Only verify_query() makes one."""

    query: Query
    sender: Member
    token: bytes
    sha256: str


def sign_query(query: Query, key: SigningKey) -> SignedQuery:
    """Raises InputError when the question does not fit its padded size."""
    raise NotImplementedError


def verify_query(
    token: bytes, *, me: str, sender_claimed: str, envelope_id: str, federation: Federation, now: float
) -> VerifiedQuery:
    """Raises MalformedMessage, NotAuthentic, NotForUs, OutOfTime, FederationBehind."""
    raise NotImplementedError
