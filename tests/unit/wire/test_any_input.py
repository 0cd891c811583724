"""Whatever arrives is read or refused: no reader raises anything but what docs/wire.md names, whatever it is fed."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire import base64url, jws
from gateway.wire.envelope import Envelope, MemberEnvelope, member_envelope
from gateway.wire.federation import member_json, read_member
from gateway.wire.keys import VerifyKey, check_ledger_jwk
from gateway.wire.limits import ANSWER_BYTES
from gateway.wire.packing import unpack
from gateway.wire.query_claims import query_json, read_query
from tests.unit.wire.parties import COUNCIL, TRUST, ask, fixed_reply_key, make_parties, question

ODD: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-1, 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.just([])
    | st.just([[]])
    | st.just({})
    | st.just([{}])
    | st.just({"kty": [], "crv": {}})
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("honest")
    parties = make_parties(folder / "parties")
    envelope = ask(parties).envelope
    jwk = parties.signing[TRUST].public_jwk()
    return {
        "query": query_json(question(parties, fixed_reply_key())),
        "member": member_json(parties.federation.members[TRUST]),
        "jwk": {**jwk, "key_ops": ["verify"]},
        "ledger": dict(parties.federation.members[TRUST].ledger_key),
        "envelope": orjson.loads(envelope.to_json()),
        "member_envelope": orjson.loads(member_envelope(envelope, TRUST, COUNCIL).to_json()),
    }


READERS: dict[str, Callable[[Any], object]] = {
    "query": read_query,
    "member": read_member,
    "jwk": VerifyKey.from_jwk,
    "ledger": check_ledger_jwk,
    "envelope": lambda value: Envelope.from_json(orjson.dumps(value)),
    "member_envelope": lambda value: MemberEnvelope.from_json(orjson.dumps(value)),
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, child in inner for place in _places(child, (*path, name)))]


def _replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    name, *rest = path
    if isinstance(value, dict):
        return {**value, name: _replaced(value[name], tuple(rest), by)}
    return [_replaced(child, tuple(rest), by) if at == name else child for at, child in enumerate(value)]


@pytest.mark.parametrize("kind", READERS)
@given(at=st.integers(0, 999), odd=ODD)
@settings(max_examples=60)
def test_message_with_any_part_replaced_is_read_or_refused(
    kind: str, honest: dict[str, Any], at: int, odd: Any
) -> None:
    READERS[kind](honest[kind])
    places = [place for place in _places(honest[kind]) if place]
    hostile = _replaced(honest[kind], places[at % len(places)], odd)
    with contextlib.suppress(WireError):
        READERS[kind](hostile)


@given(st.binary(max_size=300) | st.text(max_size=300))
@settings(max_examples=60)
def test_any_token_is_refused(token: bytes | str) -> None:
    with pytest.raises(WireError):
        jws.verify(token, typ="patchwork-query+jwt", keys={}, max_bytes=200)


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_packed_answer_is_read_or_refused(start: bytes) -> None:
    with contextlib.suppress(WireError):
        unpack(start.ljust(ANSWER_BYTES, b"\x00"))


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_are_no_envelope(data: bytes) -> None:
    for reader in (Envelope.from_json, MemberEnvelope.from_json):
        with pytest.raises(WireError):
            reader(data)
    assert base64url.decode(base64url.encode(data)) == data
