"""Databases and disk."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gateway.doctor.finding import Finding, soon, well, wrong

CHECK = "database"
DISK = "disk"
_OTHERS_MAY = 0o077
FULL_BYTES = 200 * 1024 * 1024
LOW_BYTES = 2 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """One file. `problem`: why it cannot be read, or what is damaged; `version` and `known` are migrations.

    `lost`: it is not there, though the hub holds what was made of it.
    """

    file: Path
    exists: bool = True
    problem: str = ""
    version: int = 0
    known: int = 0
    mode: int = 0o600
    writable: bool = True
    ours: bool = True
    lost: bool = False

    @property
    def readable(self) -> bool:
        """Whether anything that it holds can be looked at."""
        return self.exists and self.ours and not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """The file system of the data folder, in bytes; `writable`: by this user."""

    folder: Path
    free: int
    writable: bool = True


def check_databases(databases: Iterable[DatabaseFacts]) -> list[Finding]:
    """Whether each can be read and written, is whole, and of this program's version."""
    each = list(databases)
    found = [finding for facts in each for finding in _check_one(facts)]
    there = [facts.file.name for facts in each if facts.exists]
    return found or [well(CHECK, f"whole and of this version: {', '.join(there)}")]


def check_disk(facts: DiskFacts) -> list[Finding]:
    """What cannot be put on record is not answered, so a full disk stops a node."""
    if not facts.writable:
        do = "mount the disk that belongs there, or mend the rights of the folder; run this command as the same user"
        return [wrong(DISK, f"{facts.folder} cannot be written: nothing starts there", do)]
    left = f"{facts.free / 1024**3:.1f} GiB are free where {facts.folder} is"
    if facts.free < FULL_BYTES:
        return [wrong(DISK, f"{left}: soon nothing can be put on record, and nothing answered", "make room")]
    if facts.free < LOW_BYTES:
        return [soon(DISK, left, "make room: a node that cannot put an answer on record does not give it")]
    return [well(DISK, left)]


def _check_one(facts: DatabaseFacts) -> list[Finding]:
    if facts.lost:
        what = f"{facts.file} is not there, and this node has had it: the hub holds what its ledger has signed"
        return [wrong(CHECK, what, "do not start it on an empty folder: mount the disk, or put the newest backup back")]
    if not facts.exists:
        do = "it is made at the first start; if it has been there, mount the disk or put the newest backup back first"
        return [soon(CHECK, f"{facts.file} is not there yet", do)]
    if not facts.ours:
        return [
            wrong(CHECK, f"{facts.file} belongs to another user", "run this command, and the node or hub, as that user")
        ]
    if facts.problem:
        do = "stop it, and put the newest backup back (docs/running-a-node.md, Back up and restore)"
        return [wrong(CHECK, facts.problem, do)]
    found = []
    if facts.version > facts.known:
        what = f"{facts.file} has version {facts.version}, and this program knows {facts.known}"
        found.append(wrong(CHECK, what, "use the program that wrote it, or a later one"))
    elif facts.version < facts.known:
        what = f"{facts.file} has version {facts.version} of {facts.known}"
        found.append(soon(CHECK, what, "back it up; the next start brings it up to date"))
    if not facts.writable:
        found.append(wrong(CHECK, f"{facts.file} cannot be written", "mend the rights of the file and its folder"))
    if facts.mode & _OTHERS_MAY:
        found.append(soon(CHECK, f"others may touch {facts.file} (mode {facts.mode:04o})", "chmod 600"))
    return found
