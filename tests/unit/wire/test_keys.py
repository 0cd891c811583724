"""Key files, and sealing keys over time."""

from pathlib import Path

import pytest

from gateway.errors import ConfigurationError, NotForUs
from gateway.wire import jws
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.limits import SEALING_KEY_LIFETIME_S
from gateway.wire.seal import ReplyKey, open_sealed, seal
from gateway.wire.sealing_keys import SealingKeyRing, sign_sealing_key, verify_sealing_key
from tests.unit.wire.parties import COUNCIL, DAY, FEDERATION, JTI, NOW, TRUST, Parties


@pytest.mark.parametrize("kind", [SigningKey, LedgerKey])
def test_saved_key_is_loaded_again_and_private(tmp_path: Path, kind: type[SigningKey] | type[LedgerKey]) -> None:
    key, path = kind.generate(), tmp_path / "member.key"
    key.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert kind.load(path).public_jwk() == key.public_jwk()
    assert [entry.name for entry in tmp_path.iterdir()] == ["member.key"]


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "member.key"
    SigningKey.generate().save(path)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="exists"):
        SigningKey.generate().save(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "member.key"
    SigningKey.generate().save(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="0600"):
        SigningKey.load(path)


def test_missing_malformed_and_foreign_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.key"):
        SigningKey.load(tmp_path / "absent.key")
    LedgerKey.generate().save(tmp_path / "ledger.key")
    with pytest.raises(ConfigurationError, match="P-256"):
        SigningKey.load(tmp_path / "ledger.key")
    (tmp_path / "text.key").write_text("no key")
    (tmp_path / "text.key").chmod(0o600)
    with pytest.raises(ConfigurationError, match="PKCS"):
        LedgerKey.load(tmp_path / "text.key")
    with pytest.raises(ConfigurationError):
        SigningKey.load(tmp_path)


def test_private_keys_are_not_shown(tmp_path: Path) -> None:
    ring = SealingKeyRing(tmp_path)
    ring.rotate(NOW)
    key = SigningKey.generate()
    secret = str(key.private.private_numbers().private_value)
    seed = ring.current(NOW).private.private_bytes()
    for shown in (repr(key), repr(ring.current(NOW)), repr(ring.current(NOW).private), repr(LedgerKey.generate())):
        assert secret not in shown
        assert repr(seed) not in shown
        assert seed.hex() not in shown


def test_sealing_key_rotates_before_its_end_and_is_destroyed_a_day_after(tmp_path: Path) -> None:
    ring = SealingKeyRing(tmp_path)
    assert ring.rotate(NOW)
    first = ring.current(NOW)
    assert first.public.expires - first.public.not_before == SEALING_KEY_LIFETIME_S
    assert not ring.rotate(NOW + 4 * DAY)
    assert ring.rotate(NOW + 5 * DAY)
    second = ring.current(NOW + 5 * DAY)
    assert second.kid != first.kid
    assert ring.by_kid(first.kid, NOW + 6 * DAY) == first  # questions sealed to it still come in
    assert not ring.rotate(NOW + 8 * DAY - 1)
    assert ring.rotate(NOW + 8 * DAY)
    assert [path.stem for path in tmp_path.iterdir()] == [second.kid]
    with pytest.raises(NotForUs):
        ring.by_kid(first.kid, NOW + 8 * DAY)


def test_node_off_for_a_month_gets_a_new_sealing_key_by_itself(tmp_path: Path) -> None:
    ring = SealingKeyRing(tmp_path)
    ring.rotate(NOW)
    with pytest.raises(ConfigurationError, match="in force"):
        ring.current(NOW + 40 * DAY)
    assert ring.rotate(NOW + 40 * DAY)
    assert ring.current(NOW + 40 * DAY).public.not_before == int(NOW) + 40 * DAY


def test_key_made_by_another_process_is_found(tmp_path: Path) -> None:
    here, there = SealingKeyRing(tmp_path), SealingKeyRing(tmp_path)
    there.rotate(NOW)
    made = there.current(NOW)
    assert here.by_kid(made.kid, NOW).public == made.public
    assert not here.rotate(NOW)


def test_damaged_sealing_key_is_named(tmp_path: Path) -> None:
    ring = SealingKeyRing(tmp_path)
    ring.rotate(NOW)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ConfigurationError, match="not a sealing key"):
        SealingKeyRing(tmp_path)


def test_published_sealing_key_is_the_members(parties: Parties) -> None:
    public = parties.rings[TRUST].current(NOW).public
    token = sign_sealing_key(public, parties.signing[TRUST], member=TRUST, federation=FEDERATION)
    member = parties.federation.members[TRUST]
    assert verify_sealing_key(token, member=member, federation=FEDERATION, now=NOW) == public


def test_sealed_bytes_open_for_their_binding_alone() -> None:
    key = ReplyKey.generate()
    bound = {"federation": FEDERATION, "sender": TRUST, "recipient": COUNCIL, "jti": JTI}
    sealed = seal(b"plain", key.private.public, use="answer", **bound)
    assert open_sealed(sealed, key, use="answer", **bound) == b"plain"


def test_signature_is_made_over_what_is_sent() -> None:
    key = SigningKey.generate()
    token = jws.sign({"b": 1, "a": "é"}, typ="patchwork-query+jwt", key=key)
    assert jws.verify(token, typ="patchwork-query+jwt", keys={key.kid: key.verify_key()}, max_bytes=1_000) == {
        "b": 1,
        "a": "é",
    }
