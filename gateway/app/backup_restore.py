"""Puts a backup back where nothing is: checked against its manifests first, and complete or not there at all.

(1) manifests, each of its part, all of one agency; every file as it was backed up
(2) the configuration: the one that is at the place named, else the backup's, read as from there
(3) nothing is where data, and keys if they come along, are to be; what the hub is asked with is there or comes along
(4) copies beside those places, checked once more; then each gets its name, the databases last
"""

import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.app.backup import (
    CONFIGURATION,
    CONFIGURATION_FILE,
    LEDGER_FILE,
    SECRETS_FILE,
    check_free,
    inside,
    named_files,
)
from gateway.app.backup_manifest import Manifest, Part, check_files, hash_file, read_manifest
from gateway.app.node import NODE_FILE
from gateway.app.opening import make_private_folder
from gateway.errors import ConfigurationError, InputError
from gateway.files import read_file
from gateway.node.identity import SEALING_KEY_FOLDER
from gateway.node.ledger_keys import LEDGER_KEY_FILE
from gateway.node.signing_keys import SIGNING_KEY_FILE
from gateway.settings import NodeSettings, check_node, load_node

_MAX_CONFIGURATION = 1024 * 1024
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """What was put back; `configured`: by the configuration that was there already."""

    settings: NodeSettings
    records: Manifest
    secrets: Manifest
    configured: bool


def put_back(folders: Mapping[Part, Path], config: Path) -> PutBack:
    """Records and secrets, and what else is named; raises InputError, ConfigurationError: then there are no data."""
    manifests = _whole(folders)  # (1)
    records = manifests[Part.RECORDS]
    configured = config.exists()  # (2)
    if configured:
        settings = load_node(config)
    else:
        raw = read_file(folders[Part.RECORDS] / CONFIGURATION_FILE, _MAX_CONFIGURATION)
        settings = check_node(raw.decode("utf-8", "replace"), config)
    settings = _of_the_backup(settings, records, config)
    new_files = {} if configured else configuration_files(records.files, config, CONFIGURATION_FILE)
    keys = (settings.node.keys, (SIGNING_KEY_FILE, LEDGER_KEY_FILE))
    check_places(settings.node.data, keys, new_files.values(), with_keys=Part.KEYS in folders)  # (3)
    _check_beside(settings, new_files.values())
    _put(folders, manifests, settings, new_files)  # (4)
    return PutBack(settings=settings, records=records, secrets=manifests[Part.SECRETS], configured=configured)


def _of_the_backup(settings: NodeSettings, records: Manifest, config: Path) -> NodeSettings:
    """What the configuration says of the federation that the backup is of; raises InputError if it is in no such."""
    for each in settings.apart:
        if (each.federation[0].id, each.node.member) == (records.federation, records.member):
            return each
    known = " and ".join(f"{each.node.member} in {each.federation[0].id}" for each in settings.apart)
    raise InputError(f"{config}: is of {known}, and the backup of {records.member} in {records.federation}")


def _whole(folders: Mapping[Part, Path]) -> dict[Part, Manifest]:
    manifests = {part: read_manifest(folder, part) for part, folder in folders.items()}
    records = manifests[Part.RECORDS]
    for part, manifest in manifests.items():
        if (manifest.federation, manifest.member) != (records.federation, records.member):
            raise InputError(f"{folders[part]}: is of {manifest.member}, and the records are of {records.member}")
        if part is Part.ACCOUNTS and manifest.backup != records.backup:
            raise InputError(
                f"{folders[part]}: accounts know clients by their numbers in one backup, and this is another"
            )
        check_files(folders[part], manifest.files)
    if not {CONFIGURATION_FILE, NODE_FILE, LEDGER_FILE} <= records.files.keys():
        raise InputError(f"{folders[Part.RECORDS]}: the backup is not whole")
    if SECRETS_FILE not in manifests[Part.SECRETS].files:
        raise InputError(f"{folders[Part.SECRETS]}: the backup is not whole")
    return manifests


def lacking(settings: NodeSettings) -> tuple[Path, ...]:
    """Files that the settings name and that are not there: they lay elsewhere when the backup was made."""
    named = {path.resolve() for path, _ in named_files(settings) if not inside(path, settings.node.keys)}
    return tuple(sorted(path for path in named if not path.exists()))


def _check_beside(settings: NodeSettings, new_files: Collection[Path]) -> None:
    """Without these the ledger cannot be compared with what the hub holds; raises InputError."""
    table = settings.federation[0]
    coming = {path.resolve() for path in new_files}
    wanted = {path.resolve() for path in (table.operator_key, table.ca_file) if path is not None}
    for path in sorted(wanted - coming):
        if not path.exists():
            raise InputError(f"{path}: is not in the backup, which names it: put that file there first")


def check_places(data: Path, keys: tuple[Path, Sequence[str]], targets: Iterable[Path], *, with_keys: bool) -> None:
    """Nothing is where something is to go, and the files of `keys` are there if none come along; raises InputError."""
    check_free(data)
    folder, needed = keys
    if with_keys:
        check_free(folder)
    elif not all((folder / name).exists() for name in needed):
        raise InputError(f"{folder}: the keys are not there: put them back first, or name their backup with --keys")
    for target in targets:
        if target.exists():
            raise InputError(f"{target}: is there already and is not overwritten")


def _put(
    folders: Mapping[Part, Path], manifests: Mapping[Part, Manifest], settings: NodeSettings, new_files: dict[str, Path]
) -> None:
    drafts: dict[Path, Path] = {}
    try:
        if Part.KEYS in folders:
            keys = settings.node.keys
            drafts[keys] = _copied(keys, [(folders[Part.KEYS], manifests[Part.KEYS])])
            make_private_folder(drafts[keys] / SEALING_KEY_FOLDER)
        parts = [(folders[part], manifests[part]) for part in manifests if part is not Part.KEYS]
        drafts[settings.node.data] = _copied(settings.node.data, parts)
        for name, target in new_files.items():
            make_private_folder(target.parent)
            copy_checked(folders[Part.RECORDS] / name, target, manifests[Part.RECORDS].files[name].sha256)
        for folder, draft in drafts.items():
            _name(draft, folder)
    except BaseException:
        for draft in drafts.values():
            shutil.rmtree(draft, ignore_errors=True)
        raise


def configuration_files(files: Iterable[str], config: Path, own: str) -> dict[str, Path]:
    """Where each file of a backup's configuration goes: below the folder of `config`, the new name of `own`."""
    home = config.absolute().parent
    names = [name for name in files if name.startswith(f"{CONFIGURATION}/") and name != own]
    found = {name: home / name.removeprefix(f"{CONFIGURATION}/") for name in names}
    return {**found, own: config.absolute()}  # last, so that it can be run again


def _copied(folder: Path, parts: list[tuple[Path, Manifest]]) -> Path:
    """A folder beside `folder` with the files of these parts, the configuration left out."""
    parent = folder.absolute().parent
    make_private_folder(parent)
    draft = parent / f".{folder.absolute().name}.{secrets.token_hex(4)}"
    make_private_folder(draft)
    try:
        for source, manifest in parts:
            for name, file in manifest.files.items():
                if not name.startswith(f"{CONFIGURATION}/"):
                    make_private_folder((draft / name).parent)
                    copy_checked(source / name, draft / name, file.sha256)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return draft


def copy_checked(source: Path, target: Path, sha256: str) -> None:
    """A new file of mode 0600, on disk, that is what the manifest says."""
    try:
        with source.open("rb") as original:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as copy:
                shutil.copyfileobj(original, copy, _CHUNK)
                copy.flush()
                os.fsync(copy.fileno())
    except OSError as error:
        raise ConfigurationError(f"{target}: cannot be written: {error.strerror}") from error
    if hash_file(target).sha256 != sha256:
        target.unlink()
        raise InputError(f"{source}: changed while it was copied")


def _name(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)  # over an empty folder, if there is one
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written: {error.strerror}") from error
