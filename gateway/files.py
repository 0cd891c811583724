"""Small files that people keep, read whole and replaced whole."""

import os
import secrets
from pathlib import Path

from gateway.errors import ConfigurationError


def read_file(path: Path, max_bytes: int) -> bytes:
    """A small file whole; raises ConfigurationError naming it."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > max_bytes:
        raise ConfigurationError(f"{path}: larger than {max_bytes} bytes")
    return data


def replace_file(path: Path, data: bytes) -> None:
    """Write beside and rename, so that a reader sees the old file or the new one, never half of it; mode 0600.

    The draft's name cannot be guessed and must be new: in a folder that others may write to, nobody can lay out a file
    or a link that this would follow.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
