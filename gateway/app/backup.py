"""A backup of a node while it serves: each part in a folder of its own, of one moment (docs/running-a-node.md).

(1) what the configuration names; a folder that holds something is refused
(2) all databases, as they are at one moment (gateway/database/copying.py)
(3) configuration and private keys, file by file
(4) the ledger's head, which must bear out its newest checkpoint, from the copy
(5) a manifest in each folder; then each gets its name, so that a folder of that name is complete
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from consent_ledger import heads, read
from consent_ledger.checkpoint import Checkpoint, origin_of, with_cosignatures
from consent_ledger.read import TreeHead
from gateway import __version__
from gateway.app.backup_manifest import MAX_FILES, File, Manifest, Part, hash_file, write_manifest
from gateway.app.node import NODE_FILE
from gateway.app.opening import make_private_folder
from gateway.app.web_database import WEB_FILE
from gateway.clock import Clock
from gateway.database.copying import copy_databases, read_copy
from gateway.errors import ConfigurationError, InputError
from gateway.files import read_file, replace_file
from gateway.node.identity import SEALING_KEY_FOLDER
from gateway.node.ledger_comparison import check_own
from gateway.settings import NodeSettings
from gateway.wire.hand_over import hand_overs_file
from gateway.wire.limits import MAX_DOCUMENT_BYTES

LEDGER_FILE = "ledger.db"
SECRETS_FILE = "keys.db"
CONFIGURATION = "configuration"  # a folder of the records
CONFIGURATION_FILE = f"{CONFIGURATION}/node.toml"
_PRIVATE = frozenset({"key", "client_secret_file", "password_file"})  # settings that name what nobody else may read
_FOLDERS = frozenset({"data", "keys", "folder"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What was written: the manifest of each part, and what the settings name that is in none."""

    parts: Mapping[Part, Manifest]
    left_out: tuple[Path, ...]
    checkpoint: Checkpoint | None


def back_up(whole: NodeSettings, federation: str, config: Path, folders: Mapping[Part, Path], clock: Clock) -> BackedUp:
    """Write the parts named, the records always among them: of a node in several federations, those of the one named.

    Of the configuration each backup has all files, and keys of no other federation.

    Raises ConfigurationError, InputError, StorageError, LedgerDoubtful, and leaves nothing then.
    """
    home = config.resolve().parent
    settings = whole.chosen(federation)
    data, keys = settings.node.data, settings.node.keys
    named = list(named_files(whole))  # (1)
    private = [each.node.keys for each in whole.apart]
    public = {
        path: f"{CONFIGURATION}/{path.resolve().relative_to(home)}"
        for path, secret in named
        if not secret and inside(path, home) and not any(inside(path, each) for each in private)
    }
    public[config.resolve()] = CONFIGURATION_FILE
    drafts = {part: begin_folder(folder) for part, folder in folders.items()}
    try:
        at = int(clock.now())
        copy_databases(_databases(data, drafts))  # (2)
        copy_files(public, drafts[Part.RECORDS])  # (3)
        if Part.KEYS in drafts:
            copy_files(key_files(keys), drafts[Part.KEYS])
        log = origin_of(settings.federation[0].id, settings.node.member)
        head, checkpoint, note = _ledger(drafts[Part.RECORDS] / LEDGER_FILE, log)  # (4)
        common = Manifest(
            part=Part.RECORDS,
            backup=secrets.token_hex(8),
            program=__version__,
            federation=settings.federation[0].id,
            member=settings.node.member,
            at=at,
            entries=head.size,
            root=head.root,
            checkpoint=note,
            files={},
        )
        parts = {part: replace(common, part=part, files=hash_files(draft)) for part, draft in drafts.items()}
        for part, manifest in parts.items():  # (5)
            write_manifest(drafts[part], manifest)
        for part, draft in drafts.items():
            finish_folder(draft, folders[part])
    except BaseException:
        for draft in drafts.values():
            shutil.rmtree(draft, ignore_errors=True)
        raise
    left_out = tuple(sorted({path.resolve() for path, _ in named if path not in public and not inside(path, keys)}))
    return BackedUp(parts=parts, left_out=left_out, checkpoint=checkpoint)


def named_files(table: Any, name: str = "") -> Iterator[tuple[Path, bool]]:
    """Files that settings name, and whether each is private; not what a source reads.

    With a pinned operator's key goes what was accepted as following it: without that, newer documents are nobody's.
    """
    if isinstance(table, Path):
        if name not in _FOLDERS:
            yield table, name in _PRIVATE
        if name == "operator_key" and (accepted := hand_overs_file(table)).exists():
            yield accepted, False
    elif isinstance(table, BaseModel):
        for field in type(table).model_fields:
            value = getattr(table, field)
            if field == "mapping" and value.endswith(".toml"):
                yield Path(value), False
            yield from named_files(value, field)
    elif isinstance(table, tuple):
        for item in table:
            yield from named_files(item, name)


def check_free(folder: Path) -> None:
    """A folder is not there yet, or empty; raises InputError."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise InputError(f"{folder}: is there and holds something; name a new folder")


def inside(path: Path, folder: Path) -> bool:
    """Whether a path leads below a folder."""
    return path.resolve().is_relative_to(folder.resolve())


def begin_folder(folder: Path) -> Path:
    """A draft beside a folder that is not there yet; raises InputError, ConfigurationError."""
    check_free(folder)
    make_private_folder(folder.absolute().parent)
    draft = folder.absolute().with_name(f".{folder.absolute().name}.{secrets.token_hex(4)}")
    make_private_folder(draft)
    return draft


def _databases(data: Path, drafts: Mapping[Part, Path]) -> dict[Path, Path]:
    """In the order of locks: an import holds the first for a batch. A node without pages has no accounts."""
    found = {data / NODE_FILE: drafts[Part.RECORDS] / NODE_FILE}
    if Part.ACCOUNTS in drafts and (data / WEB_FILE).exists():
        found[data / WEB_FILE] = drafts[Part.ACCOUNTS] / WEB_FILE
    found[data / LEDGER_FILE] = drafts[Part.RECORDS] / LEDGER_FILE
    if Part.SECRETS in drafts:
        found[data / SECRETS_FILE] = drafts[Part.SECRETS] / SECRETS_FILE
    return found


def key_files(keys: Path) -> dict[Path, str]:
    """All but sealing keys: these live for days, so that old questions cannot be read, and a start makes new ones."""
    found = {
        path: str(path.relative_to(keys))
        for path in sorted(keys.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    }
    return {path: name for path, name in found.items() if Path(name).parts[0] != SEALING_KEY_FOLDER}


def copy_files(files: Mapping[Path, str], folder: Path) -> None:
    """Copy small files to names below a folder; raises ConfigurationError."""
    if len(files) > MAX_FILES // 2:
        raise ConfigurationError(f"{len(files)} files of configuration or keys, at most {MAX_FILES // 2} are backed up")
    for path, name in files.items():
        make_private_folder((folder / name).parent)
        replace_file(folder / name, read_file(path, MAX_DOCUMENT_BYTES))


def _ledger(copy: Path, log: str) -> tuple[TreeHead, Checkpoint | None, str]:
    """Head, newest checkpoint, and that with its cosignatures; raises LedgerDoubtful if the entries contradict it."""
    read_copy(copy, check_own(log))
    head = read_copy(copy, read.tree_head())
    newest = read_copy(copy, heads.newest())
    if newest is None:
        return head, None, ""
    epoch, size = newest.checkpoint.head.place
    (kept,) = read_copy(copy, heads.page((epoch, size - 1), 1))
    return head, kept.checkpoint, with_cosignatures(kept.note, kept.cosignatures)


def hash_files(folder: Path) -> dict[str, File]:
    """All that lies below a folder; raises ConfigurationError."""
    return {str(path.relative_to(folder)): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def finish_folder(draft: Path, folder: Path) -> None:
    """Give a complete draft its name; raises ConfigurationError."""
    try:
        draft.rename(folder)  # over an empty folder, if there is one
        descriptor = os.open(folder.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written: {error.strerror}") from error
