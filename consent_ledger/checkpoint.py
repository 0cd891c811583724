"""Signed tree heads: C2SP checkpoints (c2sp.org/tlog-checkpoint) and cosignatures (c2sp.org/tlog-cosignature). Pure.

The text of a checkpoint, signed as a note (note.py):

    patchwork/<federation>/<member>      origin: whose log
    <number of entries>
    <root hash, base64>
    epoch <number>
    after <epoch> <size> <root>          from the second epoch on: the head that the epoch before had reached

An epoch is one unbroken history. A ledger restored from a backup has lost entries: it opens the next epoch, and each of
that epoch's notes names what was lost, so that a witness may miss some of them. A cosignature is a witness's Ed25519
signature over `cosignature/v1`, the time, and the text; it says that the witness found this head consistent with all
that it had seen of that log before.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from consent_ledger import note
from consent_ledger.merkle import HASH_BYTES
from consent_ledger.note import COSIGNATURE, ED25519, NoteInvalid, NoteKey, Signature, Signer

FIRST_EPOCH = 1
MAX_NUMBER = 2**53 - 1
MAX_TIME = 253_370_764_800  # 9999-01-01T00:00Z: later ones, which a witness may sign, are no dates

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_LINES = (4, 5)  # of the first epoch, of a later one
_ED25519_BYTES = 64
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a log had come: `size` entries under `root` (32 bytes), in an epoch."""

    epoch: int
    size: int
    root: bytes

    @property
    def place(self) -> tuple[int, int]:
        """Later heads of one log compare greater."""
        return self.epoch, self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says of itself; `after` is the head that the epoch before had reached, exactly if there was one."""

    origin: str
    head: Head
    after: Head | None = None

    def __post_init__(self) -> None:
        """Raises NoteInvalid."""
        if not note.is_name(self.origin) or self.head.epoch < FIRST_EPOCH:
            raise NoteInvalid("a checkpoint has no usable origin or epoch")
        if (self.after is None) != (self.head.epoch == FIRST_EPOCH):
            raise NoteInvalid("a checkpoint names an earlier epoch exactly if there was one")
        if self.after is not None and not FIRST_EPOCH <= self.after.epoch < self.head.epoch:
            raise NoteInvalid("a checkpoint follows an epoch that is not earlier")

    def text(self) -> str:
        """What is signed."""
        lines = [self.origin, f"{self.head.size}", _base64(self.head.root), f"epoch {self.head.epoch}"]
        if self.after is not None:
            lines.append(f"after {self.after.epoch} {self.after.size} {_base64(self.after.root)}")
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A cosignature that holds: `line` as it stands in a note, `time` in epoch seconds by the witness's clock."""

    witness: str
    time: int
    line: str


def origin_of(federation: str, member: str) -> str:
    """The name of a member's log, and of whoever cosigns as that member."""
    return f"patchwork/{federation}/{member}"


def sign(checkpoint: Checkpoint, key: NoteKey, signer: Signer) -> str:
    """The note by which a log stands by its head. The same head gives the same bytes."""
    return note.signed(checkpoint.text(), key, signer)


def verify(text: str, key: NoteKey) -> Checkpoint:
    """A log's own note; raises NoteInvalid.

    (1) form   (2) the log's signature, exactly one   (3) the text of a checkpoint   (4) the origin is that key's name
    """
    # (1)
    parsed = note.read(text)
    # (2)
    own = parsed.by(key, ED25519)
    if len(own) != 1 or not key.holds(own[0], parsed.text.encode()):
        raise NoteInvalid("a checkpoint is not signed by its log")
    # (3)
    checkpoint = parse(parsed.text)
    # (4)
    if checkpoint.origin != key.name:
        raise NoteInvalid("a checkpoint is of another log")
    return checkpoint


def verify_by_any(text: str, keys: Iterable[NoteKey]) -> tuple[Checkpoint, NoteKey]:
    """A log's own note by one of the keys that it has had, and by which; raises NoteInvalid."""
    refused = NoteInvalid("a checkpoint is not signed by its log")
    for key in keys:
        try:
            return verify(text, key), key
        except NoteInvalid as error:
            refused = error
    raise refused


def parse(text: str) -> Checkpoint:
    """The text of a checkpoint of ours, not yet verified; raises NoteInvalid."""
    lines = text.split("\n")
    if lines.pop() or len(lines) not in _LINES:
        raise NoteInvalid("a checkpoint has another number of lines")
    origin, size, root, epoch, *rest = lines
    return Checkpoint(
        origin=origin,
        head=Head(epoch=_number(_after(epoch, "epoch ")), size=_number(size), root=_root(root)),
        after=_earlier(rest[0]) if rest else None,
    )


def own_part(text: str, key: NoteKey) -> str:
    """A verified note without anybody else's signatures."""
    parsed = note.read(text)
    return note.write(parsed.text, [Signature(key.name, key.id(ED25519), data) for data in parsed.by(key, ED25519)])


def cosign(text: str, key: NoteKey, signer: Signer, now: float) -> str:
    """The signature line of a witness under a note that it has verified; `now` is the witness's time."""
    time = int(now)
    data = time.to_bytes(_TIME_BYTES, "big") + signer.sign(_cosigned(time, note.read(text).text))
    return Signature(key.name, key.id(COSIGNATURE), data).line()


def cosigned_by(text: str, key: NoteKey) -> Cosigned | None:
    """The latest cosignature of a witness in a note, of those at a time that is a date; None if none holds.

    Raises NoteInvalid.
    """
    parsed = note.read(text)
    latest: Cosigned | None = None
    for data in parsed.by(key, COSIGNATURE):
        if len(data) != _TIME_BYTES + _ED25519_BYTES:
            continue
        time = int.from_bytes(data[:_TIME_BYTES], "big")
        if time > MAX_TIME or (latest is not None and time <= latest.time):
            continue
        if key.holds(data[_TIME_BYTES:], _cosigned(time, parsed.text)):
            latest = Cosigned(witness=key.name, time=time, line=Signature(key.name, key.id(COSIGNATURE), data).line())
    return latest


def with_cosignatures(text: str, lines: Iterable[str]) -> str:
    """A note with more signature lines; raises NoteInvalid."""
    parsed = note.read(text)
    return note.write(parsed.text, [*parsed.signatures, *(note.read_line(line.removesuffix("\n")) for line in lines)])


def split_notes(text: str) -> list[str]:
    """The notes of a file in which they stand one after the other; raises NoteInvalid."""
    notes: list[str] = []
    current = ""
    signatures = False
    for line in text.splitlines(keepends=True):
        if signatures and not line.startswith("— "):
            notes.append(current)
            current, signatures = "", False
        signatures = signatures or line.startswith("— ")
        current += line
        if len(current) > note.MAX_NOTE_BYTES:
            raise NoteInvalid(f"a note is longer than {note.MAX_NOTE_BYTES} bytes")
    return [*notes, current] if current else notes


def _cosigned(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _earlier(line: str) -> Head:
    parts = _after(line, "after ").split(" ")
    if len(parts) != 3:  # noqa: PLR2004 - epoch, size, root
        raise NoteInvalid("the head before this epoch has another form")
    return Head(epoch=_number(parts[0]), size=_number(parts[1]), root=_root(parts[2]))


def _after(line: str, prefix: str) -> str:
    if not line.startswith(prefix):
        raise NoteInvalid("a line of a checkpoint has another form")
    return line.removeprefix(prefix)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > MAX_NUMBER:
        raise NoteInvalid("a number of a checkpoint has another form")
    return int(text)


def _root(text: str) -> bytes:
    root = note.from_base64(text, maximum=HASH_BYTES)
    if len(root) != HASH_BYTES:
        raise NoteInvalid(f"a root does not have {HASH_BYTES} bytes")
    return root


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
