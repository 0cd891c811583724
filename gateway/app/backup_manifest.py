"""What says what is in a folder of a backup: `manifest.json`, written last, held against each file before it is used.

It finds damage and what was mixed up, not malice: whoever can change a file can change the hash. A ledger that was
changed does not bear out what its witnesses hold, and that is asked when it is put back.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

import orjson

from gateway.errors import ConfigurationError, InputError, WireError
from gateway.files import read_file, replace_file
from gateway.wire.claims import Claims, array, identifier, integer, moment, nested, only, read_claims, sha256, text

MANIFEST_FILE = "manifest.json"
MAX_FILES = 200
_MAX_BYTES = 1024 * 1024
_CHUNK = 1024 * 1024
_MAX_SIZE = 2**50
_MAX_NOTE_CHARS = 20_000


class Part(StrEnum):
    """What is kept apart from what: each part is a folder of its own."""

    RECORDS = "records"  # the register, the ledger, and the configuration
    ACCOUNTS = "accounts"  # web.db: hashes of passwords, and which of the staff has to do with whom; kept briefly
    SECRETS = "secrets"  # keys.db: what opens the ledger's entries; an erased one must not come back
    KEYS = "keys"  # the private keys: with them, anybody is this node


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file's size in bytes and SHA-256 (hex)."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One part of one backup: whose, of when (epoch seconds), which files by their path below the folder.

    `entries` and `root` (hex) are the ledger's at that moment. `checkpoint` is its newest signed note with the
    cosignatures under it, "" if it had signed none.
    """

    part: Part
    backup: str
    program: str
    federation: str
    member: str
    at: int
    entries: int
    root: str
    checkpoint: str
    files: Mapping[str, File]


def hash_file(path: Path) -> File:
    """Size and hash of a file as it lies there; raises ConfigurationError."""
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    return File(size=size, sha256=digest.hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Raises ConfigurationError."""
    claims = {
        "part": manifest.part.value,
        "backup": manifest.backup,
        "program": manifest.program,
        "federation": manifest.federation,
        "member": manifest.member,
        "at": manifest.at,
        "ledger": {"entries": manifest.entries, "root": manifest.root},
        "checkpoint": manifest.checkpoint,
        "files": files_json(manifest.files),
    }
    replace_file(folder / MANIFEST_FILE, orjson.dumps(claims, option=orjson.OPT_INDENT_2) + b"\n")


def read_manifest(folder: Path, part: Part) -> Manifest:
    """The manifest of a folder that must be this part; raises InputError, ConfigurationError."""
    path = folder / MANIFEST_FILE
    try:
        claims = read_claims(read_file(path, _MAX_BYTES), max_bytes=_MAX_BYTES)
        manifest = _manifest(claims)
    except (WireError, ValueError) as error:
        raise InputError(f"{path}: not the manifest of a backup: {error}") from None
    if manifest.part is not part:
        raise InputError(f"{folder}: holds the {manifest.part} of a backup, not its {part}")
    return manifest


def check_files(folder: Path, files: Mapping[str, File]) -> None:
    """Every file is there as it was written; raises InputError naming the first that is not, ConfigurationError."""
    for path, expected in files.items():
        if hash_file(folder / path) != expected:
            raise InputError(f"{folder / path}: is not the file that was backed up: its SHA-256 differs")


def files_json(files: Mapping[str, File]) -> list[Claims]:
    """As a manifest lists them."""
    return [{"path": path, "bytes": file.size, "sha256": file.sha256} for path, file in sorted(files.items())]


def read_files(claims: Claims) -> dict[str, File]:
    """The files that a manifest lists, by path; raises MalformedMessage, ValueError."""
    files: dict[str, File] = {}
    for each in array(claims, "files", dict, maximum=MAX_FILES):
        files[_below(text(each, "path"))] = File(
            size=integer(each, "bytes", maximum=_MAX_SIZE), sha256=sha256(each, "sha256")
        )
    return files


def _manifest(claims: Claims) -> Manifest:
    only(
        claims,
        frozenset(
            {"part", "backup", "program", "federation", "member", "at", "ledger", "checkpoint", "files"},
        ),
    )
    ledger = nested(claims, "ledger")
    return Manifest(
        part=Part(text(claims, "part")),
        backup=text(claims, "backup"),
        program=text(claims, "program"),
        federation=text(claims, "federation"),
        member=identifier(claims, "member"),
        at=moment(claims, "at"),
        entries=integer(ledger, "entries"),
        root=sha256(ledger, "root"),
        checkpoint=_note(claims),
        files=read_files(claims),
    )


def _note(claims: Claims) -> str:
    """A signed note has lines, which text() takes for control characters; it is verified where it is used."""
    note = claims["checkpoint"]
    if not isinstance(note, str) or len(note) > _MAX_NOTE_CHARS:
        raise ValueError("checkpoint is not a note")
    return note


def _below(path: str) -> str:
    """A path that leads nowhere but below its folder; raises ValueError."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or path != str(pure) or not path or ".." in pure.parts or re.search(r"[\\:\x00]", path):
        raise ValueError("a file's path does not lead below the folder")
    return path
