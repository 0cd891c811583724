"""A folder of keys: what is no next key is left alone, and what is one but cannot be used is told of."""

import shutil
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.wire.keys import SigningKey
from gateway.wire.rotating_keys import RotatingKeys

Keys = RotatingKeys[SigningKey]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SigningKey.generate().save(tmp_path / "hub.pem")
    return tmp_path


def keys_of(folder: Path) -> Keys:
    return Keys(folder, "hub", load=SigningKey.load, generate=SigningKey.generate)


def test_a_copy_under_another_name_is_no_key_and_is_warned_of_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = keys_of(folder)
    shutil.copy(folder / "hub.pem", folder / "hub-backup.pem")
    new = keys.begin()
    keys.begin()
    assert keys.kids == {keys.current.kid, new.kid}
    assert caplog.messages == ["key.unusable"]
    (problem,) = keys.unusable
    assert "hub-backup.pem: not a key that `rotate-key` made" in problem


def test_a_next_key_that_others_may_read_is_told_of_and_not_replaced(folder: Path) -> None:
    new = keys_of(folder).begin()
    file = folder / f"hub-{new.kid}.pem"
    file.chmod(0o644)
    keys = keys_of(folder)
    assert new.kid not in keys.kids
    assert "0644" in keys.unusable[0]
    with pytest.raises(ConfigurationError, match="0644"):
        keys.begin()
    file.chmod(0o600)
    assert keys.begin().kid == new.kid
    assert keys.unusable == ()


def test_a_key_under_the_name_of_another_is_not_taken(folder: Path) -> None:
    shutil.copy(folder / "hub.pem", folder / f"hub-{'A' * 43}.pem")
    keys = keys_of(folder)
    assert keys.waiting is None
    assert "not the key that its name says" in keys.unusable[0]
