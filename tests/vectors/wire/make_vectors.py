"""Writes the hostile cases of this folder. Keys, times and signatures (RFC 6979) are fixed: running it twice
changes nothing. Run from the root of the repository: `python -m tests.vectors.wire.make_vectors`.

Each file says what it is and which error is expected; tests/unit/wire/test_hostile.py runs them all.
"""

import copy
import hashlib
import struct
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.wire import base64url
from gateway.wire.federation import member_json
from gateway.wire.keys import SigningKey
from gateway.wire.query_claims import query_json
from tests.unit.wire.parties import (
    BUNDLE,
    CHARITY,
    COUNCIL,
    DAY,
    FEDERATION,
    JTI,
    LEAF,
    NOW,
    OTHER_JTI,
    TRUST,
    Parties,
    fixed_reply_key,
    make_parties,
    member,
    question,
    signing_key,
)

HERE = Path(__file__).parent
T = int(NOW)
QUERY, ANSWER = "patchwork-query+jwt", "patchwork-answer+jwt"
DOCUMENT, FRESHNESS = "patchwork-federation+jwt", "patchwork-freshness+jwt"
REQUEST, SEALING = "patchwork-request+jwt", "patchwork-sealing-key+jwt"
JOIN, INVITATION = "patchwork-join+jwt", "patchwork-invitation+jwt"
MALFORMED, NOT_AUTHENTIC, NOT_FOR_US, OUT_OF_TIME = "MalformedMessage", "NotAuthentic", "NotForUs", "OutOfTime"


cases: dict[str, dict[str, Any]] = {}


def signature(data: bytes, key: SigningKey) -> bytes:
    der = key.private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(payload: Any, typ: str, key: SigningKey, header: Mapping[str, Any] | bytes | None = None) -> str:
    """A JWS with any header and any payload, well signed."""
    plain = {"alg": "ES256", "kid": key.kid, "typ": typ}
    head = header if isinstance(header, bytes) else orjson.dumps({**plain, **(header or {})})
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    signed = base64url.encode(head) + b"." + base64url.encode(body)
    return (signed + b"." + base64url.encode(signature(signed, key))).decode()


def write(name: str, what: str, reader: str, expect: str, **given: Any) -> None:
    cases[name] = {"what": what, "reader": reader, "expect": expect, **given}


def changed(claims: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A deep copy with some members changed, or taken out where the change is `...`."""
    result = {**copy.deepcopy(dict(claims)), **changes}
    return {name: value for name, value in result.items() if value is not ...}


def write_jws(claims: dict[str, Any], key: SigningKey) -> None:
    """The strict door: form, header and JSON."""
    good = token(claims, QUERY, key)
    head, body, sig = good.split(".")
    unsigned = base64url.encode_text(orjson.dumps({"alg": "none", "kid": key.kid, "typ": QUERY}))
    last = sig[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spelled = sig[:-1] + alphabet[alphabet.index(last) | 1]
    public = key.public_jwk()
    hostile_tokens: list[tuple[str, str, str, str]] = [
        ("tampered_payload", "one byte of the payload changed", NOT_AUTHENTIC, f"{head}.{flip(body)}.{sig}"),
        ("tampered_signature", "one byte of the signature changed", NOT_AUTHENTIC, f"{head}.{body}.{flip(sig)}"),
        ("alg_none", "alg none, empty signature", MALFORMED, f"{unsigned}.{body}."),
        ("alg_none_with_signature", "alg none, the old signature kept", MALFORMED, f"{unsigned}.{body}.{sig}"),
        ("alg_hs256", "HMAC named as algorithm", MALFORMED, token(claims, QUERY, key, {"alg": "HS256"})),
        ("alg_es384", "another curve's algorithm", MALFORMED, token(claims, QUERY, key, {"alg": "ES384"})),
        ("alg_lower_case", "es256 is not ES256", MALFORMED, token(claims, QUERY, key, {"alg": "es256"})),
        ("typ_of_an_answer", "an answer's typ on a question", MALFORMED, token(claims, ANSWER, key)),
        ("typ_jwt", "the typ that libraries write by default", MALFORMED, token(claims, "JWT", key)),
        ("header_jwk", "the signer brings its own key", MALFORMED, token(claims, QUERY, key, {"jwk": public})),
        (
            "header_jku",
            "the key is to be fetched",
            MALFORMED,
            token(claims, QUERY, key, {"jku": "https://example.org"}),
        ),
        (
            "header_x5u",
            "a certificate is to be fetched",
            MALFORMED,
            token(claims, QUERY, key, {"x5u": "https://a.example"}),
        ),
        ("header_crit", "a critical extension", MALFORMED, token(claims, QUERY, key, {"crit": ["exp"]})),
        ("header_b64_false", "RFC 7797 unencoded payload", MALFORMED, token(claims, QUERY, key, {"b64": False})),
        (
            "header_kid_is_a_path",
            "kid as a file name",
            MALFORMED,
            token(claims, QUERY, key, {"kid": "../../etc/passwd"}),
        ),
        ("header_kid_is_a_number", "kid of another type", MALFORMED, token(claims, QUERY, key, {"kid": 1})),
        ("header_is_a_list", "the header is no object", MALFORMED, token(claims, QUERY, key, b"[]")),
        ("header_oversized", "a header of 10 kB", MALFORMED, token(claims, QUERY, key, {"kid": "A" * 10_000})),
        (
            "header_duplicate_alg",
            "alg named twice",
            MALFORMED,
            token(claims, QUERY, key, f'{{"alg":"none","alg":"ES256","kid":"{key.kid}","typ":"{QUERY}"}}'.encode()),
        ),
        (
            "kid_unknown",
            "signed by a key that nobody published",
            NOT_AUTHENTIC,
            token(claims, QUERY, signing_key("eve")),
        ),
        (
            "kid_of_another_key",
            "a stranger's signature under a member's kid",
            NOT_AUTHENTIC,
            token(claims, QUERY, signing_key("eve"), {"kid": key.kid}),
        ),
        ("two_parts", "no signature", MALFORMED, f"{head}.{body}"),
        ("four_parts", "a part too many", MALFORMED, f"{good}.{sig}"),
        ("empty", "nothing", MALFORMED, ""),
        ("empty_payload", "nothing signed", MALFORMED, f"{head}..{sig}"),
        ("trailing_padding", "= after the signature", MALFORMED, f"{good}=="),
        ("trailing_newline", "a line end after the signature", MALFORMED, f"{good}\n"),
        ("leading_space", "a space before the header", MALFORMED, f" {good}"),
        ("standard_alphabet", "+ and / instead of - and _", MALFORMED, f"{head}.{body}.{'+/' + sig[2:]}"),
        ("unused_bits_set", "another spelling of the same signature", MALFORMED, f"{head}.{body}.{spelled}"),
        ("not_ascii", "a letter outside ASCII", MALFORMED, f"{head}.{body}.é{sig[1:]}"),
        ("signature_der", "a DER signature", MALFORMED, f"{head}.{body}.{base64url.encode_text(bytes(70))}"),
        ("signature_short", "63 bytes of signature", MALFORMED, f"{head}.{body}.{base64url.encode_text(bytes(63))}"),
        ("signature_zero", "r = s = 0", NOT_AUTHENTIC, f"{head}.{body}.{base64url.encode_text(bytes(64))}"),
        ("json_serialisation", "JSON instead of compact", MALFORMED, f'{{"payload":"{body}"}}'),
        ("oversized", "more than any question may have", MALFORMED, f"{head}.{'A' * 74_000}.{sig}"),
        ("payload_duplicate_claim", "exp named twice", MALFORMED, token(b'{"exp":1,"iat":1,"exp":9}', QUERY, key)),
        (
            "payload_duplicate_nested",
            "a nested member named twice, once escaped",
            MALFORMED,
            token(b'{"fed":{"seq":1,"s\\u0065q":2}}', QUERY, key),
        ),
        ("payload_nan", "NaN", MALFORMED, token(b'{"exp":NaN}', QUERY, key)),
        ("payload_infinity", "-Infinity", MALFORMED, token(b'{"exp":-Infinity}', QUERY, key)),
        ("payload_huge_number", "beyond a double", MALFORMED, token(b'{"exp":1e999}', QUERY, key)),
        ("payload_not_utf8", "Latin-1", MALFORMED, token(b'{"name":"\xe9"}', QUERY, key)),
        ("payload_lone_surrogate", "half a character", MALFORMED, token(b'{"name":"\\ud800"}', QUERY, key)),
        ("payload_bom", "a byte order mark", MALFORMED, token(b'\xef\xbb\xbf{"exp":1}', QUERY, key)),
        ("payload_comment", "a comment", MALFORMED, token(b'{"exp":1/*x*/}', QUERY, key)),
        ("payload_array", "no object", MALFORMED, token(b"[1]", QUERY, key)),
        ("payload_two_values", "something after the object", MALFORMED, token(b"{}{}", QUERY, key)),
        ("payload_deep", "nested 200 deep", MALFORMED, token(b'{"a":' * 200 + b"1" + b"}" * 200, QUERY, key)),
        ("payload_very_deep", "nested 5,000 deep", MALFORMED, token(b"[" * 5_000 + b"]" * 5_000, QUERY, key)),
    ]
    for name, what, expect, hostile in hostile_tokens:
        write(f"jws_{name}", what, "jws", expect, token=hostile)


def flip(segment: str) -> str:
    """One byte in the middle changed, still good base64url."""
    data = bytearray(base64url.decode_text(segment))
    data[len(data) // 2] ^= 1
    return base64url.encode_text(bytes(data))


def write_queries(claims: dict[str, Any], key: SigningKey) -> None:
    """Questions that are well signed and wrong."""
    good = token(claims, QUERY, key)
    fed, subject = claims["fed"], claims["subject"]

    def case(name: str, what: str, expect: str, hostile: dict[str, Any] | None = None, **given: Any) -> None:
        signed = good if hostile is None else token(hostile, QUERY, key)
        write(f"query_{name}", what, "query", expect, token=signed, **given)

    case("expired", "opened 91 s after a life of 60 s", OUT_OF_TIME, now=T + 91)
    case("future", "issued 31 s ahead", OUT_OF_TIME, changed(claims, iat=T + 31, exp=T + 61))
    case("too_long_lived", "lives 121 s", OUT_OF_TIME, changed(claims, exp=T + 121))
    case("ends_before_it_begins", "exp before iat", OUT_OF_TIME, changed(claims, exp=T - 1))
    case("exp_is_a_string", "exp in quotes", MALFORMED, changed(claims, exp=str(T + 60)))
    case("exp_is_a_fraction", "exp with a point", MALFORMED, changed(claims, exp=T + 60.0))
    case("exp_is_true", "exp as a boolean", MALFORMED, changed(claims, exp=True))
    case("exp_missing", "no exp", MALFORMED, changed(claims, exp=...))
    case("aud_is_a_list", "two audiences", MALFORMED, changed(claims, aud=[FEDERATION, "elsewhere"]))
    case("aud_another_federation", "of another federation", NOT_FOR_US, changed(claims, aud="hillside"))
    case("iss_another_member", "signed by the council as the trust", NOT_FOR_US, changed(claims, iss=TRUST))
    case("hub_names_another_sender", "the hub says it is the food bank's", NOT_AUTHENTIC, sender_claimed=CHARITY)
    case("sender_unknown", "from nobody we know", NOT_AUTHENTIC, sender_claimed="nobody")
    case("sender_is_the_hub", "the hub asks by itself", NOT_AUTHENTIC, sender_claimed="hub")
    case("sender_suspended", "a suspended member asks", NOT_AUTHENTIC, federation="council-suspended")
    case("key_revoked", "the key was taken out of the document", NOT_AUTHENTIC, federation="council-key-revoked")
    case("key_ended", "the key's time is over", NOT_AUTHENTIC, federation="council-key-ended")
    case("key_not_begun", "the key's time has not come", NOT_AUTHENTIC, federation="council-key-not-begun")
    case("replayed_in_another_envelope", "an old question under a new id", NOT_FOR_US, envelope_id=OTHER_JTI)
    case("not_a_recipient", "delivered to a member that was not asked", NOT_FOR_US, me=COUNCIL)
    case("recipients_unsorted", "recipients out of order", MALFORMED, changed(claims, recipients=[TRUST, CHARITY]))
    case("recipients_twice", "one recipient twice", MALFORMED, changed(claims, recipients=[TRUST, TRUST]))
    case("recipients_none", "nobody asked", MALFORMED, changed(claims, recipients=[]))
    case("fed_behind", "under an older document", OUT_OF_TIME, changed(claims, fed={**fed, "seq": 6}))
    case("fed_ahead", "under a newer document", "FederationBehind", changed(claims, fed={**fed, "seq": 8}))
    case("fed_equivocated", "same seq, other hash", NOT_FOR_US, changed(claims, fed={**fed, "sha256": "0" * 64}))
    case("jti_no_uuid", "jti of another form", MALFORMED, changed(claims, jti="1"))
    case("claim_unknown", "a claim of no version", MALFORMED, changed(claims, admin=True))
    case("purpose_unknown", "a purpose of our own", MALFORMED, changed(claims, purpose="CURIOSITY"))
    case("mode_unknown", "a mode of our own", MALFORMED, changed(claims, mode="everything"))
    case("break_glass_free_text", "words where a code belongs", MALFORMED, changed(claims, break_glass="I must know!"))
    case("reply_key_short", "a reply key cut off", MALFORMED, changed(claims, reply_key=claims["reply_key"][:-4]))
    case(
        "reply_key_invalid",
        "ML-KEM coefficients out of range",
        MALFORMED,
        changed(claims, reply_key=base64url.encode_text(b"\xff" * 1_216)),
    )
    case("subject_missing", "nobody asked about", MALFORMED, changed(claims, subject={"resourceType": "Patient"}))
    case("subject_no_patient", "a Group", MALFORMED, changed(claims, subject={**subject, "resourceType": "Group"}))
    case(
        "subject_extra_member", "telecom of the subject", MALFORMED, changed(claims, subject={**subject, "telecom": []})
    )
    case(
        "subject_no_such_day", "30 February", MALFORMED, changed(claims, subject={**subject, "birthDate": "2014-02-30"})
    )
    case(
        "subject_control_character",
        "a null in a name",
        MALFORMED,
        changed(claims, subject={**subject, "name": [{"text": "Zebedee\x00"}]}),
    )
    case(
        "subject_direction_override",
        "a name that turns what is read",
        MALFORMED,
        changed(claims, subject={**subject, "name": [{"text": "Zebedee \u202e"}]}),
    )
    case(
        "subject_oversized_name",
        "a name of 10,000 letters",
        MALFORMED,
        changed(claims, subject={**subject, "name": [{"text": "Z" * 10_000}]}),
    )
    case(
        "subject_many_names", "nine names", MALFORMED, changed(claims, subject={**subject, "name": [{"text": "Z"}] * 9})
    )


def write_envelopes(good: str) -> None:
    """Envelopes: `bound` says how the copy is sealed, the rest what was done to it on its way."""

    def case(name: str, what: str, expect: str, **given: Any) -> None:
        write(f"envelope_{name}", what, "envelope", expect, token=good, **given)

    case("body_tampered", "one byte of the body changed", NOT_AUTHENTIC, flip="body")
    case("copy_tampered", "one byte of the sealed key changed", NOT_AUTHENTIC, flip="copy")
    case(
        "resealed_to_another_member",
        "the trust forwards it to the food bank",
        NOT_AUTHENTIC,
        me=CHARITY,
        key_of=CHARITY,
    )
    case("copy_of_another_member", "the hub swaps two copies", NOT_FOR_US, me=CHARITY)
    case("sender_swapped", "the hub names another sender", NOT_AUTHENTIC, sender=CHARITY)
    case("id_swapped", "the hub gives it a new id", NOT_AUTHENTIC, id=OTHER_JTI)
    case("federation_swapped", "sealed for another federation", NOT_AUTHENTIC, bound={"federation": "hillside"})
    case("use_swapped", "sealed as a notice", NOT_AUTHENTIC, bound={"use": "notice"})
    case("kid_unknown", "sealed to a key never made", NOT_FOR_US, kid="A" * 43)
    case("kid_is_a_path", "a path for a kid", NOT_FOR_US, kid="../council/x")
    case("key_ended", "sealed to a key of last week", OUT_OF_TIME, now=T + 6 * DAY + 31)
    case("body_truncated", "the last 64 bytes are missing", NOT_AUTHENTIC, cut=64)
    case("padding_not_zeros", "bytes hidden in the padding", MALFORMED, padding="01")
    case("length_runs_over", "a length longer than the body", MALFORMED, length=2**32 - 1)


def write_envelope_json() -> None:
    copy_ = {"kid": "A" * 43, "sealed": base64url.encode_text(bytes(1_168))}
    body = base64url.encode_text(bytes(8_192 + 64 + 16))
    base = {"v": 1, "id": JTI, "deadline_ms": 2_000, "body": body}
    to_hub = {**base, "copies": {TRUST: copy_}}
    to_member = {**base, "copy": copy_, "from": COUNCIL}

    def case(name: str, what: str, reader: str, content: Any) -> None:
        text = content if isinstance(content, str) else orjson.dumps(content).decode()
        write(f"envelope_json_{name}", what, reader, MALFORMED, json=text)

    case("version_2", "a version to come", "hub-envelope", {**to_hub, "v": 2})
    case("version_true", "true is not 1", "hub-envelope", {**to_hub, "v": True})
    case("no_copies", "for nobody", "hub-envelope", {**to_hub, "copies": {}})
    case("body_of_another_size", "a size that does not tell the copies", "hub-envelope", {**to_hub, "body": "AAAA"})
    case("copy_short", "a copy cut off", "hub-envelope", {**to_hub, "copies": {TRUST: {**copy_, "sealed": "AAAA"}}})
    case("copy_for_a_path", "a member named as a path", "hub-envelope", {**to_hub, "copies": {"../hub": copy_}})
    case("deadline_zero", "no time at all", "hub-envelope", {**to_hub, "deadline_ms": 0})
    case("deadline_an_hour", "longer than anybody waits", "hub-envelope", {**to_hub, "deadline_ms": 3_600_000})
    case("from_chosen_by_asker", "the asker names the sender", "hub-envelope", {**to_hub, "from": TRUST})
    case("copies_of_others", "the hub leaves the others' copies in", "member-envelope", {**to_member, "copies": {}})
    case("id_upper_case", "a second spelling of one id", "member-envelope", {**to_member, "id": JTI.upper()})
    case("body_padded", "base64 with =", "member-envelope", {**to_member, "body": body[:-1] + "="})
    case("member_twice", "from named twice", "member-envelope", '{"from":"council","from":"trust"}')
    case("cut_off", "half a message", "member-envelope", orjson.dumps(to_member).decode()[:500])


def write_answers(parties: Parties, asked: str) -> None:
    key = parties.signing[TRUST]
    claims: dict[str, Any] = {
        "iss": TRUST,
        "aud": COUNCIL,
        "iat": T,
        "exp": T + 120,
        "jti": OTHER_JTI,
        "in_reply_to": JTI,
        "query_sha256": hashlib.sha256(asked.encode()).hexdigest(),
        "fed": {"seq": parties.federation.seq, "sha256": parties.federation.sha256},
        "outcome": "teams",
        "ledger_leaf": LEAF,
        "display_until": T + DAY,
        "policy": {"uri": "https://riverside.example.org/agreements/coordination", "version": "1", "rule": "r1"},
        "bundle_sha256": hashlib.sha256(BUNDLE).hexdigest(),
        "truncated": False,
    }
    nothing = changed(claims, outcome="nothing-to-disclose", policy=..., bundle_sha256=..., truncated=...)

    def stored(bundle: bytes) -> bytes:
        return b"\x01" + struct.pack("<HH", len(bundle), len(bundle) ^ 0xFFFF) + bundle if bundle else b""

    def packed(jws: str, deflated: bytes, rest: bytes = b"") -> str:
        plain = struct.pack(">I", len(jws)) + jws.encode() + struct.pack(">I", len(deflated)) + deflated + rest
        return base64url.encode_text(plain.ljust(8_192, b"\x00"))

    def case(
        name: str, what: str, expect: str, hostile: Mapping[str, Any] = claims, bundle: bytes = BUNDLE, **given: Any
    ) -> None:
        jws = token(hostile, ANSWER, given.pop("key", key))
        content = given.pop("packed", None) or packed(
            jws, given.pop("deflated", stored(bundle)), given.pop("rest", b"")
        )
        write(f"answer_{name}", what, "answer", expect, packed=content, **given)

    case("swapped_bundle", "another bundle than the signed one", NOT_FOR_US, bundle=BUNDLE + b" ")
    case("to_another_question", "in reply to another jti", NOT_FOR_US, changed(claims, in_reply_to=OTHER_JTI))
    case("to_altered_question", "to a question with another hash", NOT_FOR_US, changed(claims, query_sha256="0" * 64))
    case("to_another_asker", "addressed to the food bank", NOT_FOR_US, changed(claims, aud=CHARITY))
    case(
        "under_another_document",
        "another federation document",
        NOT_FOR_US,
        changed(claims, fed={"seq": 8, "sha256": LEAF}),
    )
    case("from_another_member", "signed by the food bank", NOT_AUTHENTIC, key=parties.signing[CHARITY])
    case("iss_another_member", "names the food bank as issuer", NOT_FOR_US, changed(claims, iss=CHARITY))
    case("hub_names_another_member", "the hub says it is the food bank's", NOT_AUTHENTIC, member=CHARITY)
    case("member_not_asked", "from a member that was not asked", NOT_FOR_US, member=COUNCIL)
    case("signed_by_hub", "forged by the hub", NOT_AUTHENTIC, key=parties.hub)
    case("resealed_to_another_asker", "sealed to another reply key", NOT_AUTHENTIC, reply_key="another")
    case("sealed_as_question", "sealed under another use", NOT_AUTHENTIC, bound={"use": "question"})
    case("replayed_from_earlier_question", "sealed for an earlier jti", NOT_AUTHENTIC, bound={"jti": OTHER_JTI})
    case("expired", "arrives 151 s late", OUT_OF_TIME, now=T + 151)
    case("future", "issued 31 s ahead", OUT_OF_TIME, changed(claims, iat=T + 31, exp=T + 61))
    case("too_long_lived", "lives an hour", OUT_OF_TIME, changed(claims, exp=T + 3_600))
    case("shown_too_long", "shown for 24 h and a second", OUT_OF_TIME, changed(claims, display_until=T + DAY + 1))
    case("outcome_unknown", "an outcome that tells more", MALFORMED, changed(claims, outcome="refused"))
    case("nothing_with_policy", "a refusal that names its rule", MALFORMED, changed(nothing, policy=claims["policy"]))
    case("nothing_with_bundle", "a refusal with a bundle", MALFORMED, nothing)
    case("teams_without_bundle", "teams, but none there", MALFORMED, bundle=b"")
    case("ledger_leaf_missing", "no ledger entry named", MALFORMED, changed(claims, ledger_leaf=...))
    case("short", "one byte short", MALFORMED, cut=1)
    case("long", "one byte too many", MALFORMED, extend=1)
    case("bytes_after_padding", "bytes hidden after the bundle", MALFORMED, rest=bytes(100) + b"hidden")
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    exploding = bomb.compress(bytes(4 * 2**20)) + bomb.flush()
    case("deflate_bomb", "4 MiB in 4 kB", MALFORMED, deflated=exploding)
    case("deflate_cut_off", "DEFLATE without its end", MALFORMED, deflated=exploding[:1_000])
    case("deflate_then_more", "bytes after the end of DEFLATE", MALFORMED, deflated=stored(BUNDLE) + b"more")
    case("deflate_zlib_wrapped", "zlib instead of raw DEFLATE", MALFORMED, deflated=zlib.compress(BUNDLE))
    case("deflate_of_nothing", "DEFLATE of an empty bundle", MALFORMED, deflated=b"\x03\x00")
    length = base64url.encode_text(struct.pack(">I", 2**31) + bytes(8_188))
    case("length_runs_over", "a token of 2 GiB announced", MALFORMED, packed=length)
    case("all_zeros", "nothing but zeros", MALFORMED, packed=base64url.encode_text(bytes(8_192)))


def write_documents(parties: Parties, claims: dict[str, Any]) -> None:
    operator, hub = parties.operator, parties.hub
    members = claims["members"]

    def case(
        name: str, what: str, expect: str, hostile: Mapping[str, Any] = claims, reader: str = "document", **given: Any
    ) -> None:
        signed = token(hostile, DOCUMENT, given.pop("key", operator))
        write(f"federation_{name}", what, reader, expect, token=signed, **given)

    def first(**changes: Any) -> dict[str, Any]:
        return changed(claims, members=[changed(members[0], **changes), *members[1:]])

    case("signed_by_hub", "made up by the hub", NOT_AUTHENTIC, key=hub)
    case("signed_by_member", "made up by a member", NOT_AUTHENTIC, key=parties.signing[TRUST])
    case("stale", "a second and the skew after its end", "FederationStale", now=claims["exp"] + 31)
    case("future", "issued tomorrow", "FederationStale", changed(claims, iat=T + DAY, exp=T + 2 * DAY))
    case("too_long_lived", "lives 8 days", "FederationStale", changed(claims, exp=T + 8 * DAY))
    case("rolled_back", "an earlier seq", "FederationRolledBack", changed(claims, seq=6), reader="advance")
    case(
        "equivocated", "same seq, other content", "FederationRolledBack", changed(claims, iss="Other"), reader="advance"
    )
    case(
        "of_another_name",
        "another federation's",
        "FederationRolledBack",
        changed(claims, name="hillside"),
        reader="advance",
    )
    case("two_members_one_id", "one id twice", MALFORMED, changed(claims, members=[*members, members[0]]))
    twin = changed(members[0], id="twin")
    case("two_members_one_key", "one key for two members", MALFORMED, changed(claims, members=[*members, twin]))
    case("member_called_hub", "a member that could speak as the hub", MALFORMED, first(id="hub"))
    case("member_id_upper_case", "an id of another form", MALFORMED, first(id="Council"))
    case("member_without_keys", "no signing key", MALFORMED, first(keys=[]))
    key_entry = members[0]["keys"][0]
    jwk = key_entry["jwk"]
    case("key_for_encryption", "use enc", MALFORMED, first(keys=[{**key_entry, "jwk": {**jwk, "use": "enc"}}]))
    case(
        "key_private", "a private key published", MALFORMED, first(keys=[{**key_entry, "jwk": {**jwk, "d": jwk["x"]}}])
    )
    case("key_off_curve", "no point of P-256", MALFORMED, first(keys=[{**key_entry, "jwk": {**jwk, "y": jwk["x"]}}]))
    case(
        "key_kid_wrong",
        "a kid that is no thumbprint",
        MALFORMED,
        first(keys=[{**key_entry, "jwk": {**jwk, "kid": "x"}}]),
    )
    case("key_ends_first", "ends before it begins", MALFORMED, first(keys=[{**key_entry, "not_after": 1}]))
    case("status_unknown", "a status of no version", MALFORMED, first(status="observer"))
    case("endpoint_file", "a file as endpoint", MALFORMED, first(endpoint="file:///etc/passwd"))
    case("endpoint_with_user", "a password in the endpoint", MALFORMED, first(endpoint="https://a:b@trust.example.org"))
    case("seq_zero", "seq below one", MALFORMED, changed(claims, seq=0))
    case("without_hub", "no hub key", MALFORMED, changed(claims, hubs=[]))

    said = {
        "iss": "hub",
        "aud": FEDERATION,
        "iat": T,
        "exp": T + 3_600,
        "seq": parties.federation.seq,
        "sha256": parties.federation.sha256,
    }

    def fresh(name: str, what: str, expect: str, hostile: Mapping[str, Any] = said, **given: Any) -> None:
        signed = token(hostile, FRESHNESS, given.pop("key", hub))
        write(f"freshness_{name}", what, "freshness", expect, token=signed, **given)

    fresh("expired", "an hour and a minute later", "FederationStale", now=T + 3_661)
    fresh("too_long_lived", "lives 5 h", "FederationStale", changed(said, exp=T + 5 * 3_600))
    fresh("from_the_future", "our clock is 61 s behind the hub's", "ClockWrong", changed(said, iat=T + 61, exp=T + 90))
    fresh("of_older_document", "names seq 6", NOT_FOR_US, changed(said, seq=6))
    fresh("of_other_content", "names another hash", NOT_FOR_US, changed(said, sha256=LEAF))
    fresh("of_another_federation", "another audience", NOT_FOR_US, changed(said, aud="hillside"))
    fresh("signed_by_member", "a member speaks as the hub", NOT_AUTHENTIC, key=parties.signing[TRUST])


def write_requests(parties: Parties) -> None:
    key = parties.signing[COUNCIL]
    claims = {
        "iss": COUNCIL,
        "aud": FEDERATION,
        "iat": T,
        "exp": T + 60,
        "jti": JTI,
        "method": "POST",
        "path": "/v1/queries",
        "body_sha256": hashlib.sha256(b"body").hexdigest(),
    }

    def case(name: str, what: str, expect: str, hostile: Mapping[str, Any] = claims, **given: Any) -> None:
        signed = token(hostile, REQUEST, given.pop("key", key))
        write(f"request_{name}", what, "request", expect, header=given.pop("scheme", "Patchwork ") + signed, **given)

    case("scheme_bearer", "another scheme", MALFORMED, scheme="Bearer ")
    case("issuer_another_member", "signed by the council as the trust", NOT_AUTHENTIC, changed(claims, iss=TRUST))
    case("issuer_hub", "signed by the council as the hub", NOT_AUTHENTIC, changed(claims, iss="hub"))
    case("issuer_unknown", "from a stranger", NOT_AUTHENTIC, changed(claims, iss="nobody"))
    case("issuer_suspended", "from a suspended member", NOT_AUTHENTIC, federation="council-suspended")
    case("expired", "91 s old", OUT_OF_TIME, now=T + 91)
    case("too_long_lived", "lives 61 s", OUT_OF_TIME, changed(claims, exp=T + 61))
    case("for_another_hub", "another audience", NOT_FOR_US, changed(claims, aud="hillside"))
    case("for_another_method", "a token for GET", NOT_FOR_US, changed(claims, method="GET"))
    case("for_another_path", "a token for another door", NOT_FOR_US, changed(claims, path="/v1/federation"))
    case("for_another_body", "the body was exchanged", NOT_FOR_US, body="other")
    case("jti_missing", "nothing to remember it by", MALFORMED, changed(claims, jti=...))


def write_keys(parties: Parties) -> None:
    ring_key = parties.rings[TRUST].current(NOW).public
    claims = {
        "iss": TRUST,
        "aud": FEDERATION,
        "iat": ring_key.not_before,
        "exp": ring_key.expires,
        "sealing_kid": ring_key.kid,
        "sealing_key": base64url.encode_text(ring_key.raw),
    }

    def case(name: str, what: str, expect: str, hostile: Mapping[str, Any] = claims, **given: Any) -> None:
        signed = token(hostile, SEALING, given.pop("key", parties.signing[TRUST]))
        write(f"sealing_key_{name}", what, "sealing-key", expect, token=signed, **given)

    case("signed_by_hub", "the hub puts in its own key", NOT_AUTHENTIC, key=parties.hub)
    case("of_another_member", "names the food bank", NOT_FOR_US, changed(claims, iss=CHARITY))
    case("of_another_federation", "for another federation", NOT_FOR_US, changed(claims, aud="hillside"))
    case("expired", "after its week", OUT_OF_TIME, now=ring_key.expires + 30)
    case("too_long_lived", "lives 8 days", OUT_OF_TIME, changed(claims, exp=ring_key.not_before + 8 * DAY))
    case("kid_wrong", "a kid that is not its hash", MALFORMED, changed(claims, sealing_kid="A" * 43))
    case("short", "a key cut off", MALFORMED, changed(claims, sealing_key="AAAA"))

    newcomer = signing_key("school")
    wish = {
        "iss": "school",
        "aud": FEDERATION,
        "iat": T,
        "exp": T + 30 * DAY,
        "member": member_json(member("school", newcomer)),
    }

    def join(name: str, what: str, expect: str, hostile: Mapping[str, Any] = wish, **given: Any) -> None:
        signed = token(hostile, JOIN, given.pop("key", newcomer))
        write(f"join_{name}", what, "join", expect, token=signed, **given)

    join("with_key_of_another", "asks to list a key that it does not hold", NOT_AUTHENTIC, key=signing_key("eve"))
    join("of_another_federation", "to another federation", NOT_FOR_US, changed(wish, aud="hillside"))
    join("issuer_differs", "iss is not the member", MALFORMED, changed(wish, iss="academy"))
    join("expired", "found again after 31 days", OUT_OF_TIME, now=T + 31 * DAY)
    suspended = member_json(member("school", newcomer, status="suspended"))
    join("suspended", "asks to be suspended", MALFORMED, changed(wish, member=suspended))


def write_invitations(parties: Parties) -> None:
    eve = signing_key("eve")
    claims = {
        "v": 1,
        "iss": "Riverside Safeguarding Partnership",
        "aud": FEDERATION,
        "iat": T,
        "exp": T + 14 * DAY,
        "jti": JTI,
        "operator": parties.operator.public_jwk(),
        "hubs": ["https://hub.riverside.example.org"],
        "type": "voluntary-organisation",
        "sector": "voluntary",
        "name": "Foodbank Northshire",
    }

    def case(name: str, what: str, expect: str, hostile: Mapping[str, Any] = claims, **given: Any) -> None:
        signed = token(hostile, given.pop("typ", INVITATION), given.pop("key", parties.operator))
        write(f"invitation_{name}", what, "invitation", expect, token=signed, **given)

    def at(hub: str) -> dict[str, Any]:
        return changed(claims, hubs=[hub])

    case(
        "of_another_operator",
        "whoever likes makes one",
        NOT_AUTHENTIC,
        changed(claims, operator=eve.public_jwk()),
        key=eve,
    )
    case("signed_by_member", "a member invites", NOT_AUTHENTIC, key=parties.signing[COUNCIL])
    case("names_another_key", "leads to another operator", NOT_AUTHENTIC, changed(claims, operator=eve.public_jwk()))
    case("is_a_join_request", "signed by the operator for another use", MALFORMED, typ=JOIN)
    case("to_another_federation", "to another federation", NOT_FOR_US, changed(claims, aud="hillside"))
    case("expired", "found in a mailbox", OUT_OF_TIME, now=T + 15 * DAY)
    case("too_long_lived", "good for 31 days", OUT_OF_TIME, changed(claims, exp=T + 31 * DAY))
    case("version_2", "of another version", MALFORMED, changed(claims, v=2))
    case("without_id", "nothing to remember it by", MALFORMED, changed(claims, jti=...))
    case("hub_in_the_clear", "plain http over a network", MALFORMED, at("http://hub.riverside.example.org"))
    case("hub_with_user", "an address that reads as another", MALFORMED, at("https://hub.example.org@evil.example.org"))
    case("hub_writes_settings", "leaves its line", MALFORMED, at('https://h.example.org"]\naccept_members = "operator'))
    case("name_turned_round", "a name that reads from the right", MALFORMED, changed(claims, name="Food\u202eknab"))
    case(
        "certificate_long", "3,000 bytes", MALFORMED, changed(claims, authorities=[base64url.encode_text(bytes(3_000))])
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        drafted = make_parties(Path(folder) / "draft")
        claims = orjson.loads(base64url.decode(drafted.federation.token.split(b".")[1]))
        federation = token(claims, DOCUMENT, drafted.operator)
        (HERE / "federation.jws").write_text(federation + "\n")
        parties = make_parties(Path(folder) / "fixed", federation.encode())
        asked = query_json(question(parties, fixed_reply_key()))
    key = parties.signing[COUNCIL]
    good = token(asked, QUERY, key)
    (HERE / "question.jws").write_text(good + "\n")
    write_jws(asked, key)
    write_queries(asked, key)
    write_envelopes(good)
    write_envelope_json()
    write_answers(parties, good)
    write_documents(parties, claims)
    write_requests(parties)
    write_keys(parties)
    write_invitations(parties)
    for old in HERE.glob("*.json"):
        old.unlink()
    for name, case in cases.items():
        (HERE / f"{name}.json").write_bytes(orjson.dumps(case, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
