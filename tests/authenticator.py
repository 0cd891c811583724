"""A device that keeps passkeys, in software: it answers a site's options as a browser hands them on, or lies."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40

Json = dict[str, Any]


@dataclass(slots=True)
class Device:
    """One passkey, made at the first create(); `count` is its signature counter, None keeps none."""

    origin: str
    rp_id: str
    count: int | None = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user: bytes = b""
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def create(self, options: str, **lies: Any) -> str:
        """The browser's answer to `navigator.credentials.create`; lies as get()."""
        asked = json.loads(options)
        self.user = _decoded(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        client = self._client("webauthn.create", asked, lies)
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(lies, _ATTESTED) + attested}
        return self._answer({"clientDataJSON": client, "attestationObject": cbor2.dumps(statement)})

    def get(self, options: str, **lies: Any) -> str:
        """The browser's answer to `navigator.credentials.get`.

        `lies`: origin, rp_id, type, cross_origin, verified, user, signature: what to say instead of the truth.
        """
        if self.count is not None:
            self.count += 1
        client = self._client("webauthn.get", json.loads(options), lies)
        data = self._data(lies)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": lies.get("signature", signature),
                "userHandle": lies.get("user", self.user),
            }
        )

    def _client(self, kind: str, asked: Json, lies: Json) -> bytes:
        said = {
            "type": lies.get("type", kind),
            "challenge": asked["challenge"],
            "origin": lies.get("origin", self.origin),
            "crossOrigin": lies.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _data(self, lies: Json, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_VERIFIED if lies.get("verified", True) else 0)
        site = hashlib.sha256(lies.get("rp_id", self.rp_id).encode()).digest()
        return site + bytes([flags]) + (self.count or 0).to_bytes(4, "big")

    def _answer(self, response: dict[str, bytes]) -> str:
        own = _encoded(self.id)
        said = {name: _encoded(value) for name, value in response.items()}
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": said})


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
