"""A backup of a hub while it serves, and putting it back (docs/running-a-hub.md, "Back up and restore").

Backup: (1) a folder that holds something is refused   (2) the database, as it is at one moment (3) what the
configuration names beside itself, and apart, if asked for, the private keys   (4) a manifest in each folder, last.

Restore: (1) manifests, both of one hub; every file as it was backed up   (2) nothing is where it is to go
(3) copies beside those places, checked once more   (4) the database notes that it was put back: the ids of what was
seen after the backup are not in it, so the hub waits until all that has expired   (5) each gets its name
"""

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import orjson

from gateway import __version__
from gateway.app.backup import (
    CONFIGURATION,
    begin_folder,
    copy_files,
    finish_folder,
    hash_files,
    inside,
    key_files,
    named_files,
)
from gateway.app.backup_manifest import MANIFEST_FILE, File, check_files, files_json, read_files
from gateway.app.backup_restore import check_places, configuration_files, copy_checked
from gateway.app.opening import make_private_folder
from gateway.clock import Clock
from gateway.database.copying import copy_databases
from gateway.database.sqlite import open_sqlite
from gateway.errors import InputError, WireError
from gateway.files import read_file, replace_file
from gateway.hub.keys import HUB_KEY_FILE
from gateway.hub.replay import keep_restored
from gateway.settings import HubSettings, check_hub, load_hub
from gateway.wire.claims import identifier, moment, only, read_claims, text
from gateway.wire.limits import KIB

HUB_DATABASE = "hub.db"
CONFIGURATION_FILE = f"{CONFIGURATION}/hub.toml"
MAX_CONFIGURATION_BYTES = 1024 * KIB
MAX_MANIFEST_BYTES = 256 * KIB


class HubPart(StrEnum):
    """What is kept apart from what."""

    RECORDS = "hub"
    KEYS = "hub-keys"  # with them, anybody is this hub


@dataclass(frozen=True, slots=True, kw_only=True)
class HubManifest:
    """One part of one backup: of which hub, of when (epoch seconds), which files by their path below the folder."""

    part: HubPart
    backup: str
    program: str
    hub: str
    at: int
    files: Mapping[str, File]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPutBack:
    """What was put back; `configured`: a configuration was there already, and stays as it was."""

    settings: HubSettings
    records: HubManifest
    configured: bool


def back_up_hub(
    settings: HubSettings, config: Path, folders: Mapping[HubPart, Path], clock: Clock
) -> tuple[int, tuple[Path, ...]]:
    """Write the parts named, RECORDS among them; returns of when, and what the settings name that is in none.

    Raises ConfigurationError, InputError, StorageError, and leaves nothing then.
    """
    home, table = config.resolve().parent, settings.hub
    named = list(named_files(settings))
    public = {
        path: f"{CONFIGURATION}/{path.resolve().relative_to(home)}"
        for path, private in named
        if not private and inside(path, home) and not inside(path, table.keys)
    }
    public[config.resolve()] = CONFIGURATION_FILE
    drafts = {part: begin_folder(folder) for part, folder in folders.items()}  # (1)
    try:
        at = int(clock.now())
        records = drafts[HubPart.RECORDS]
        copy_databases({table.data / HUB_DATABASE: records / HUB_DATABASE})  # (2)
        copy_files(public, records)  # (3)
        if HubPart.KEYS in drafts:
            copy_files(key_files(table.keys), drafts[HubPart.KEYS])
        backup = secrets.token_hex(8)
        for part, draft in drafts.items():  # (4)
            manifest = HubManifest(
                part=part, backup=backup, program=__version__, hub=table.id, at=at, files=hash_files(draft)
            )
            replace_file(draft / MANIFEST_FILE, _written(manifest))
        for part, draft in drafts.items():
            finish_folder(draft, folders[part])
    except BaseException:
        for draft in drafts.values():
            shutil.rmtree(draft, ignore_errors=True)
        raise
    left_out = {path for path, _ in named if path not in public and not inside(path, table.keys)}
    return at, tuple(sorted(left_out))


async def put_back_hub(folders: Mapping[HubPart, Path], config: Path, clock: Clock) -> HubPutBack:
    """Raises InputError, ConfigurationError, StorageError: then there are no data."""
    manifests, done, new_files = _checked(folders, config)
    await _put(folders, manifests, done.settings, new_files, clock)
    return done


def _checked(
    folders: Mapping[HubPart, Path], config: Path
) -> tuple[dict[HubPart, HubManifest], HubPutBack, dict[str, Path]]:
    """(1) and (2): the manifests, what is to be put back, and where files of the configuration go."""
    manifests = {part: _read_manifest(folder, part) for part, folder in folders.items()}  # (1)
    records = manifests[HubPart.RECORDS]
    for part, manifest in manifests.items():
        if manifest.hub != records.hub:
            raise InputError(f"{folders[part]}: is of {manifest.hub}, and the records are of {records.hub}")
        check_files(folders[part], manifest.files)
    if not {HUB_DATABASE, CONFIGURATION_FILE} <= records.files.keys():
        raise InputError(f"{folders[HubPart.RECORDS]}: the backup is not whole")
    configured = config.exists()
    settings = load_hub(config) if configured else _configuration(folders[HubPart.RECORDS], config)
    if settings.hub.id != records.hub:
        raise InputError(f"{config}: is of {settings.hub.id}, and the backup of {records.hub}")
    new_files = {} if configured else configuration_files(records.files, config, CONFIGURATION_FILE)
    keys = (settings.hub.keys, (HUB_KEY_FILE,))
    check_places(settings.hub.data, keys, new_files.values(), with_keys=HubPart.KEYS in folders)  # (2)
    return manifests, HubPutBack(settings=settings, records=records, configured=configured), new_files


async def _put(
    folders: Mapping[HubPart, Path],
    manifests: Mapping[HubPart, HubManifest],
    settings: HubSettings,
    new_files: Mapping[str, Path],
    clock: Clock,
) -> None:
    """(3) to (5)"""
    drafts: dict[Path, Path] = {}
    records = folders[HubPart.RECORDS]
    files = manifests[HubPart.RECORDS].files
    try:
        if HubPart.KEYS in folders:
            drafts[settings.hub.keys] = draft = begin_folder(settings.hub.keys)
            for name, file in manifests[HubPart.KEYS].files.items():
                make_private_folder((draft / name).parent)
                copy_checked(folders[HubPart.KEYS] / name, draft / name, file.sha256)
        drafts[settings.hub.data] = draft = begin_folder(settings.hub.data)
        copy_checked(records / HUB_DATABASE, draft / HUB_DATABASE, files[HUB_DATABASE].sha256)
        database = await open_sqlite(draft / HUB_DATABASE, schema="hub")
        try:
            await database.write(keep_restored(clock.now()))  # (4)
        finally:
            await database.close()
        for name, target in new_files.items():
            make_private_folder(target.parent)
            copy_checked(records / name, target, files[name].sha256)
        for folder, draft in drafts.items():  # (5)
            finish_folder(draft, folder)
    except BaseException:
        for draft in drafts.values():
            shutil.rmtree(draft, ignore_errors=True)
        raise


def _configuration(records: Path, config: Path) -> HubSettings:
    raw = read_file(records / CONFIGURATION_FILE, MAX_CONFIGURATION_BYTES)
    return check_hub(raw.decode("utf-8", "replace"), config)


def _written(manifest: HubManifest) -> bytes:
    claims = {
        "part": manifest.part.value,
        "backup": manifest.backup,
        "program": manifest.program,
        "hub": manifest.hub,
        "at": manifest.at,
        "files": files_json(manifest.files),
    }
    return orjson.dumps(claims, option=orjson.OPT_INDENT_2) + b"\n"


def _read_manifest(folder: Path, part: HubPart) -> HubManifest:
    path = folder / MANIFEST_FILE
    try:
        claims = read_claims(read_file(path, MAX_MANIFEST_BYTES), max_bytes=MAX_MANIFEST_BYTES)
        only(claims, frozenset({"part", "backup", "program", "hub", "at", "files"}))
        manifest = HubManifest(
            part=HubPart(text(claims, "part")),
            backup=text(claims, "backup"),
            program=text(claims, "program"),
            hub=identifier(claims, "hub"),
            at=moment(claims, "at"),
            files=read_files(claims),
        )
    except (WireError, ValueError) as error:
        raise InputError(f"{path}: not the manifest of a hub's backup: {error}") from None
    if manifest.part is not part:
        raise InputError(f"{folder}: holds the part {manifest.part} of a backup, not {part}")
    return manifest
