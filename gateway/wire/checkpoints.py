"""What a ledger's node and its witnesses say to each other (docs/wire.md, "Checkpoints").

The notes inside are C2SP texts of their own (consent_ledger/checkpoint.py) and opaque here. A member cosigns with its
ledger key, which the federation document lists; a hub with an Ed25519 key of its own, for which it vouches with the
key that the document lists: `typ: patchwork-witness-key+jwt`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from gateway.errors import MalformedMessage, NotForUs
from gateway.wire import base64url, jws
from gateway.wire.claims import Claims, array, integer, nested, only, raw, read_claims, text
from gateway.wire.federation import HUB, Federation
from gateway.wire.keys import Jwk, SigningKey, check_ledger_jwk, ledger_public
from gateway.wire.limits import MAX_CHECKPOINT_BYTES, MAX_NOTE_BYTES, MAX_PROOF_HASHES, MAX_STATEMENT_BYTES

TYP = "patchwork-witness-key+jwt"

_HASH_BYTES = 32
_CLAIMS = frozenset({"iss", "aud", "iat", "jwk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A log's new head, and the proof that it extends the head that the witness holds."""

    note: str
    proof: Sequence[bytes] = ()

    def to_json(self) -> bytes:
        """The body of `POST /v1/checkpoints`."""
        return orjson.dumps({"note": _pack(self.note), "proof": [base64url.encode_text(each) for each in self.proof]})

    @classmethod
    def from_json(cls, body: bytes) -> "Submission":
        """Read what a log sent; raises MalformedMessage."""
        claims = read_claims(body, max_bytes=MAX_CHECKPOINT_BYTES)
        only(claims, frozenset({"note", "proof"}))
        proof = [base64url.decode_text(each) for each in array(claims, "proof", str, maximum=MAX_PROOF_HASHES)]
        if any(len(each) != _HASH_BYTES for each in proof):
            raise MalformedMessage("a hash of the proof has a wrong length")
        return cls(note=_unpack(claims), proof=proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a witness says to a submission: one of its cosignature line and the reason why there is none."""

    cosignature: str | None = None
    refused: str | None = None

    def to_json(self) -> bytes:
        """The reply to `POST /v1/checkpoints`."""
        if self.cosignature is not None:
            return orjson.dumps({"cosignature": self.cosignature.removesuffix("\n")})
        return orjson.dumps({"refused": self.refused})

    @classmethod
    def from_claims(cls, claims: Claims) -> "Verdict":
        """Read what a witness said; raises MalformedMessage."""
        if "refused" in claims:
            only(claims, frozenset({"refused"}))
            return cls(refused=text(claims, "refused"))
        only(claims, frozenset({"cosignature"}))
        return cls(cosignature=text(claims, "cosignature", max_chars=MAX_STATEMENT_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The newest head of one log that a witness has cosigned, and a hub's statement of the key it does it with."""

    note: str | None
    witness_key: str | None = None

    def to_json(self) -> bytes:
        """The reply to `GET /v1/checkpoints/{member}`."""
        said = {} if self.note is None else {"note": _pack(self.note)}
        return orjson.dumps(said | ({} if self.witness_key is None else {"witness_key": self.witness_key}))

    @classmethod
    def from_claims(cls, claims: Claims) -> "Held":
        """Read what a witness said; raises MalformedMessage."""
        only(claims, frozenset(), frozenset({"note", "witness_key"}))
        return cls(
            note=_unpack(claims) if "note" in claims else None,
            witness_key=text(claims, "witness_key", max_chars=MAX_STATEMENT_BYTES) if "witness_key" in claims else None,
        )


def sign_witness_key(jwk: Jwk, hub_key: SigningKey, *, federation: str, now: float) -> str:
    """A hub's statement of the Ed25519 key that it cosigns with. It never expires: cosignatures are kept for years."""
    claims = {"iss": HUB, "aud": federation, "iat": int(now), "jwk": dict(jwk)}
    return jws.sign(claims, typ=TYP, key=hub_key)


def verify_witness_key(token: str, federation: Federation) -> bytes:
    """The hub's public Ed25519 key, 32 bytes; raises MalformedMessage, NotAuthentic, NotForUs.

    (1) a hub key of the document   (2) claims   (3) that federation's hub   (4) a key of the right kind
    """
    # (1)
    claims = jws.verify(token, typ=TYP, keys=federation.hub_keys, max_bytes=MAX_STATEMENT_BYTES)
    # (2)
    only(claims, _CLAIMS)
    integer(claims, "iat")
    # (3)
    if (claims["iss"], claims["aud"]) != (HUB, federation.name):
        raise NotForUs("the witness key is not of this federation's hub")
    # (4)
    return ledger_public(check_ledger_jwk(nested(claims, "jwk")))


def _pack(note: str) -> str:
    return base64url.encode_text(note.encode())


def _unpack(claims: Mapping[str, object]) -> str:
    try:
        return raw(claims, "note", maximum=MAX_NOTE_BYTES).decode()
    except UnicodeDecodeError:
        raise MalformedMessage("note is not UTF-8") from None
