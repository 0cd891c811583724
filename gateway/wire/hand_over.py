"""The operator's key and those that it was handed over to (docs/wire.md, "Hand-over of the operator's key").

A key that others pin can only be followed by one that it names itself, and that whoever pinned it accepts. So a chain
of statements leads from the pinned file to the key in use, and those that were accepted lie beside that file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from gateway.days import DAY_S
from gateway.errors import ConfigurationError, NotForUs, WireError
from gateway.wire import jws
from gateway.wire.claims import identifier, moment, nested, only
from gateway.wire.keys import SigningKey, VerifyKey, read_published
from gateway.wire.limits import MAX_HAND_OVERS, MAX_STATEMENT_BYTES

TYP = "patchwork-operator+jwt"
OPERATOR = "operator"  # `iss` of what an operator says in its own name
HAND_OVER_S = 30 * DAY_S  # for officers to compare a fingerprint and accept, at agencies that work half-weeks

_CLAIMS = frozenset({"iss", "aud", "iat", "until", "jwk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """The old key's word for the new one, verified: it signs documents itself until `until` (epoch seconds)."""

    federation: str
    new: VerifyKey
    until: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorKeys:
    """Keys that may sign federation documents, by kid; `ends`: of one handed over, after which it signs none."""

    keys: Mapping[str, VerifyKey]
    ends: Mapping[str, int] = field(default_factory=dict)
    federation: str = ""  # of the statements, "" if there are none

    @classmethod
    def of(cls, key: "VerifyKey | OperatorKeys") -> "OperatorKeys":
        """One pinned key as the only one."""
        return key if isinstance(key, OperatorKeys) else cls(keys={key.kid: key})

    @property
    def newest(self) -> VerifyKey:
        """The last of the chain."""
        return list(self.keys.values())[-1]

    def followed_by(self, hand_over: HandOver, old: VerifyKey) -> "OperatorKeys":
        """The chain with one more."""
        return OperatorKeys(
            keys=MappingProxyType({**self.keys, hand_over.new.kid: hand_over.new}),
            ends=MappingProxyType({**self.ends, old.kid: hand_over.until}),
            federation=hand_over.federation,
        )


def sign_hand_over(new: VerifyKey, old: SigningKey, *, federation: str, now: float, overlap_s: int) -> str:
    """The old key names its successor, and until when it goes on itself."""
    claims = {"iss": OPERATOR, "aud": federation, "iat": int(now), "until": int(now) + overlap_s, "jwk": new.jwk()}
    return jws.sign(claims, typ=TYP, key=old)


def verify_hand_over(token: str, old: VerifyKey) -> HandOver:
    """(1) the old key's signature   (2) claims   (3) another key; raises MalformedMessage, NotAuthentic, NotForUs."""
    claims = jws.verify(token, typ=TYP, keys={old.kid: old}, max_bytes=MAX_STATEMENT_BYTES)  # (1)
    only(claims, _CLAIMS)  # (2)
    if claims["iss"] != OPERATOR or moment(claims, "until") <= moment(claims, "iat"):
        raise NotForUs("no hand-over of an operator's key")
    new = read_published(nested(claims, "jwk"))
    if new == old:  # (3)
        raise NotForUs("a key that is handed over to itself")
    return HandOver(federation=identifier(claims, "aud"), new=new, until=moment(claims, "until"), token=token)


def hand_overs_file(pinned: Path) -> Path:
    """Where the statements that were accepted lie, one a line: beside the pinned key."""
    return pinned.with_name(f"{pinned.stem}-hand-over.jws")


def follow_hand_overs(pinned: VerifyKey, text: str, file: Path) -> OperatorKeys:
    """The chain that a file of accepted statements makes; raises ConfigurationError naming it."""
    keys = OperatorKeys.of(pinned)
    lines = text.split()
    if len(lines) > MAX_HAND_OVERS:
        raise ConfigurationError(f"{file}: more than {MAX_HAND_OVERS} statements")
    for line in lines:
        old = keys.newest
        try:
            said = verify_hand_over(line, old)
        except WireError as error:
            raise ConfigurationError(f"{file}: not the hand-over of the pinned operator's key: {error}") from error
        if said.new.kid in keys.keys or keys.federation not in {"", said.federation}:
            raise ConfigurationError(f"{file}: the statements do not follow one from another")
        keys = keys.followed_by(said, old)
    return keys
