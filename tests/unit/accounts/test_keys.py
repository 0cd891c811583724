"""The pages' key: what it seals opens for its owner alone, and its file is private."""

from pathlib import Path

import pytest

from gateway.accounts.keys import WEB_KEY_FILE, WebKey, load_web_key
from gateway.errors import ConfigurationError, StorageError


def test_a_sealed_secret_opens_for_its_owner_alone() -> None:
    key = WebKey(b"k" * 32)
    sealed = key.seal(b"secret", "wendy")
    assert key.open(sealed, "wendy") == b"secret"
    for other, owner, given in (
        (key, "gerald", sealed),
        (WebKey(b"l" * 32), "wendy", sealed),
        (key, "wendy", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (key, "wendy", b""),
    ):
        with pytest.raises(StorageError, match=WEB_KEY_FILE):
            other.open(given, owner)


def test_a_name_says_neither_what_it_stands_for_nor_the_same_for_another_kind() -> None:
    key = WebKey(b"k" * 32)
    assert key.name("login", "wendy") == key.name("login", "wendy")
    assert key.name("login", "wendy") != key.name("address", "wendy")
    assert key.name("login", "wendy") != WebKey(b"l" * 32).name("login", "wendy")


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    sealed = load_web_key(tmp_path).seal(b"secret", "wendy")
    file = tmp_path / WEB_KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_web_key(tmp_path).open(sealed, "wendy") == b"secret"
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="0600"):
        load_web_key(tmp_path)
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="32 bytes"):
        load_web_key(tmp_path)
