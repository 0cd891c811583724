"""Vectors by others: Wycheproof's ES256 cases and the JOSE cookbook (tests/vectors/jose/README.md)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import MalformedMessage, WireError
from gateway.wire import base64url, jws
from gateway.wire.claims import read_claims
from gateway.wire.keys import SigningKey, VerifyKey, fingerprint

JOSE = Path(__file__).parents[2] / "vectors" / "jose"
GROUPS = json.loads((JOSE / "wycheproof-es256.json").read_text())["testGroups"]
CASES = [(group["public"], test) for group in GROUPS for test in group["tests"]]


def _check(jwk: dict[str, Any], token: str) -> None:
    """The steps of jws.verify, but for `typ`, a `kid` that is a thumbprint and JSON claims, which these cases lack."""
    key = VerifyKey.from_jwk(jwk)
    header, payload, signature, signing_input = jws.split(token, max_bytes=4_096)
    read = read_claims(base64url.decode(header), max_bytes=512)
    if not read.keys() <= {"alg", "kid", "typ"} or (read.get("alg"), read.get("kid")) != ("ES256", jwk["kid"]):
        raise MalformedMessage("header")
    jws.check_signature(signing_input, signature, key)
    base64url.decode(payload)


@pytest.mark.parametrize(("jwk", "case"), CASES, ids=[f"{case['tcId']}-{case['comment']}" for _, case in CASES])
def test_wycheproof_verdict_is_ours(jwk: dict[str, Any], case: dict[str, Any]) -> None:
    if case["result"] == "valid":
        _check(jwk, case["jws"])
    else:
        with pytest.raises(WireError):
            _check(jwk, case["jws"])


def test_wycheproof_has_both_verdicts() -> None:
    assert {case["result"] for _, case in CASES} == {"valid", "invalid"}
    assert len(CASES) == 41


@pytest.mark.parametrize("case", [354, 356])
def test_wrong_use_and_key_ops_are_the_only_fault_of_their_cases(case: int) -> None:
    """Without the key's own restriction the signature holds: it is `use` and `key_ops` that are checked."""
    jwk, found = next((jwk, test) for jwk, test in CASES if test["tcId"] == case)
    with pytest.raises(MalformedMessage, match=r"use|key_ops"):
        VerifyKey.from_jwk(jwk)
    _check({name: value for name, value in jwk.items() if name not in ("use", "key_ops")}, found["jws"])


def test_strict_door_refuses_even_valid_tokens_without_typ() -> None:
    jwk, case = next((jwk, test) for jwk, test in CASES if test["result"] == "valid")
    key = VerifyKey.from_jwk(jwk)
    with pytest.raises(MalformedMessage):
        jws.verify(case["jws"], typ="JWT", keys={jwk["kid"]: key, key.kid: key}, max_bytes=4_096)


@pytest.mark.parametrize("name", ["compact", "json", "json_flat"])
def test_cookbook_es512_signature_is_refused_in_every_serialisation(name: str) -> None:
    output = json.loads((JOSE / "4_3.ecdsa_signature.json").read_text())["output"]
    token = output[name] if name == "compact" else json.dumps(output[name])
    with pytest.raises(MalformedMessage):
        jws.verify(token, typ="JWT", keys={}, max_bytes=16_384)


def test_cookbook_signature_by_several_is_refused() -> None:
    output = json.loads((JOSE / "4_8.multiple_signatures.json").read_text())["output"]
    with pytest.raises(MalformedMessage):
        jws.verify(json.dumps(output["json"]), typ="JWT", keys={}, max_bytes=16_384)


@pytest.mark.parametrize("name", ["3_1.ec_public_key.json", "3_2.ec_private_key.json"])
def test_cookbook_p521_keys_are_refused(name: str) -> None:
    with pytest.raises(MalformedMessage):
        VerifyKey.from_jwk(json.loads((JOSE / name).read_text()))


def test_thumbprint_is_that_of_rfc_7638() -> None:
    """Computed by hand over the required members, in order and without white space (RFC 7638, section 3.2)."""
    jwk = SigningKey.generate().public_jwk()
    text = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    digest = hashlib.sha256(text.encode()).digest()
    assert jwk["kid"] == base64url.encode_text(digest)
    assert fingerprint(jwk).replace(" ", "") == digest.hex()
