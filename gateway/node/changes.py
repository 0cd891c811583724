"""Decides what of a batch that was read has to be stored: hashes, compares with what is known, maps what is new.

No input or output; blocks, so it runs in the thread of an import.
"""

import hashlib
from collections.abc import Iterable, Mapping
from enum import Enum

import orjson

from connectors.contract import Cursor, Rejected, SourceRecord
from gateway import __version__
from gateway.node.records import Batch, ImportIssue, KnownRecord, NewRecord
from gateway.node.rows import HASH_BYTES, At, MappedRow, row_of
from mappings.engine import RECURRING, Mapper
from mappings.model import Mapped, type_names
from mappings.spec import MappingSpec

MAX_KEY = 200  # characters of a key; longer ones are mistakes of a mapping
MAX_PLACE = 200  # characters of the place that is noted with a record
MAX_RECURRING = 4096  # workers and services whose rows are remembered, as many as the mapper remembers of one rule

_RECURRING = frozenset(type_names[kind] for kind in RECURRING)

TWICE = "another record of this run has the same kind and key"

FIXED = ("", "mapping")  # kind and key of the record that stands for what the mapping itself holds


def fingerprint(spec: MappingSpec) -> str:
    """Changes whenever a mapping, or the program that applies it, may make other objects of the same fields."""
    text = orjson.dumps(spec, default=sorted, option=orjson.OPT_SORT_KEYS)  # sorted: of frozensets
    return hashlib.blake2b(__version__.encode() + text, digest_size=HASH_BYTES).hexdigest()


def fixed_batch(spec: MappingSpec, known: Mapping[At, KnownRecord]) -> Batch:
    """What the mapping itself holds, as if one record had yielded it."""
    rows = tuple(row_of(item) for item in spec.fixed)
    return Batch(new=[NewRecord(*FIXED, "mapping", bytes.fromhex(fingerprint(spec)), known.get(FIXED), rows)])


class _Unusable(Exception):
    """A record cannot be used; the message says why, without a value."""


class _Fate(Enum):
    UNCHANGED = "unchanged"
    DOUBTFUL = "doubtful"


class Changes:
    """The changes of one batch after another; between them it remembers how to compare, and workers who recur."""

    def __init__(self, spec: MappingSpec, *, run_id: int, later_wins: bool) -> None:
        """`later_wins`: records of one key are versions of it; else the second one is refused."""
        self._mapper = Mapper(spec)
        # By identity, for the mapper hands out the same ones again.
        self._recurring: dict[int, tuple[Mapped, MappedRow]] = {}
        self._salt = fingerprint(spec).encode()
        self._run_id = run_id
        self._later_wins = later_wins

    def of(self, items: Iterable[SourceRecord | Rejected | Cursor], known: Mapping[At, KnownRecord]) -> Batch:
        """Sort one batch; `known` are those of its records that are stored already."""
        batch = Batch()
        fates: dict[At, NewRecord | _Fate] = {}
        for item in items:
            if isinstance(item, Cursor):
                batch.read_to = item.value
            elif isinstance(item, Rejected):
                batch.issues.append(ImportIssue(item.where[:MAX_PLACE], item.field, item.reason))
            elif self._repeated(item, fates, known):
                batch.issues.append(_refused(item, TWICE))
            else:
                fates[item.kind, item.key] = self._fate(item, known.get((item.kind, item.key)), batch.issues)
        for at, fate in fates.items():
            if isinstance(fate, NewRecord):
                batch.new.append(fate)
            elif at in known:
                (batch.unchanged if fate is _Fate.UNCHANGED else batch.doubtful).append(known[at].id)
        return batch

    def _repeated(self, item: SourceRecord, fates: Mapping[At, object], known: Mapping[At, KnownRecord]) -> bool:
        at = item.kind, item.key
        return not self._later_wins and (at in fates or (at in known and known[at].seen_run == self._run_id))

    def _fate(self, item: SourceRecord, known: KnownRecord | None, issues: list[ImportIssue]) -> NewRecord | _Fate:
        if item.deleted:
            return _Fate.DOUBTFUL
        try:
            digest = self._record_hash(item)
            if known is not None and known.hash == digest:
                return _Fate.UNCHANGED
            rows = self._rows(item, issues)
        except _Unusable as error:
            issues.append(_refused(item, str(error)))
            return _Fate.DOUBTFUL
        if rows is None:
            return _Fate.DOUBTFUL
        return NewRecord(item.kind, item.key, item.where[:MAX_PLACE], digest, known, rows)

    def _record_hash(self, item: SourceRecord) -> bytes:
        if not 0 < len(item.key) <= MAX_KEY:
            raise _Unusable(f"its key is empty or longer than {MAX_KEY} characters")
        try:
            item.key.encode()
            fields = orjson.dumps(item.fields, option=orjson.OPT_SORT_KEYS)
        except (orjson.JSONEncodeError, UnicodeEncodeError):
            raise _Unusable("holds text that is not valid Unicode, or is nested too deeply") from None
        return hashlib.blake2b(self._salt + fields, digest_size=HASH_BYTES).digest()

    def _rows(self, item: SourceRecord, issues: list[ImportIssue]) -> tuple[MappedRow, ...] | None:
        """What the mapping makes of a record; None if it refuses the record, having noted why."""
        mapped, found = self._mapper.apply(item.kind, item.fields)
        if found:
            issues += [
                ImportIssue(item.where[:MAX_PLACE], issue.field, issue.reason, whole_record=issue.rejects)
                for issue in found
            ]
            if any(issue.rejects for issue in found):
                return None
        return tuple([row_of(each) if type(each) not in _RECURRING else self._recurred(each) for each in mapped])

    def _recurred(self, item: Mapped) -> MappedRow:
        seen, row = self._recurring.get(id(item), (None, None))
        if seen is not item or row is None:
            if len(self._recurring) >= MAX_RECURRING:
                self._recurring.clear()
            row = row_of(item)
            self._recurring[id(item)] = item, row
        return row


def _refused(item: SourceRecord, reason: str) -> ImportIssue:
    return ImportIssue(item.where[:MAX_PLACE], "", reason)
