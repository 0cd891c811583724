"""Private keys on disk: files of mode 0600 that appear whole or not at all, and are never replaced."""

import os
import secrets
import stat
from pathlib import Path

from gateway.errors import ConfigurationError

_MAX_KEY_FILE_BYTES = 4_096


def write_private(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600; raises ConfigurationError if `path` exists or cannot be written.

    The content is complete and on disk before the name appears, so another process never reads half a key.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError:
        raise ConfigurationError(f"{path}: a key exists already and is not overwritten") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: key cannot be written: {error.strerror}") from error


def read_private(path: Path) -> bytes:
    """Read a private file; raises ConfigurationError when it is missing, or anybody but its owner may touch it."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise ConfigurationError(f"{path}: not a regular file")
            if state.st_mode & 0o077:
                mode = stat.S_IMODE(state.st_mode)
                raise ConfigurationError(f"{path}: mode is {mode:04o}, but a private key must be 0600 (chmod 600)")
            return file.read(_MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise ConfigurationError(f"{path}: key cannot be read: {error.strerror}") from error


def destroy(path: Path) -> None:
    """Remove a private key and make the removal last.

    Overwriting would promise more than flash memory and journalling file systems keep: encrypt the disk.
    """
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
