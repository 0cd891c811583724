"""What a question says, as frozen types; query.py signs and verifies it, and is what other packages import."""

from dataclasses import dataclass, field

from gateway.wire.membership import Pairs
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose


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
    """One name as typed: its parts where they are known, and/or `text`."""

    given: tuple[str, ...] = ()
    family: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is asked about, as a minimal FHIR Patient.

    `birth_date` is an ISO date, possibly partial; `age` whole years on the day of asking; identifiers (system, value).
    """

    names: tuple[NameParts, ...] = ()
    birth_date: str | None = None
    age: int | None = None
    postcode: str | None = None
    identifiers: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question. Times in epoch seconds; `recipients` sorted member ids; `reply_key` 1,216 raw bytes.

    `break_glass` is a reason code: words never leave the asker. The subject is kept out of `repr`.
    """

    federation: str
    issuer: str
    issued_at: int
    expires_at: int
    jti: str
    recipients: tuple[str, ...]
    fed_seq: int
    fed_sha256: str
    practitioner: AskingPractitioner = field(repr=False)
    auth_method: AuthMethod
    auth_time: int
    purpose: Purpose
    lawful_basis: LawfulBasis
    agreement_uri: str
    agreement_version: str
    break_glass: str | None = None
    mode: Mode
    subject: Subject = field(repr=False)
    only_certain: bool = False
    reply_key: bytes = field(repr=False)
