"""Rows of a list that somebody uploads, as records with the fields that mappings/guess.py names.

A worker whom the register knows by name, and a service, are referred to there (`pages:KEY`); a worker whom it does not
know becomes a practitioner of the list's own. What people can mend costs the row, with a reason.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from connectors.contract import Cursor, FieldValue, Manifest, Rejected, SourceError, SourceRecord
from connectors.files import fingerprint, size, with_cursors
from connectors.spreadsheet import Progress, Row, header_names, problem_of, rows_of
from gateway.database.contract import Work
from gateway.node.cells import as_typed
from gateway.node.native import NATIVE, reference
from gateway.node.register import typed_services, typed_workers
from mappings.convert import Unusable, clean, iso_date, nhs_number
from mappings.guess import DATES, KIND, Meaning, digest, record_key
from mappings.rules import fold
from mappings.vocabulary import Sensitivity

TOLD = "List"  # what places and errors call the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whom and what the register knows, by folded name: workers (None: several of that name), services.

    A worker is a reference and the key of the service for which they mostly work, a service (by its key, too) a
    reference and how confidential its work is. `names`: what to call whom a reference means.
    """

    workers: Mapping[str, tuple[str, str] | None]
    gone: frozenset[str]
    services: Mapping[str, tuple[str, Sensitivity]]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListShape:
    """What somebody decided of a file: rows above the header, the column of each meaning, the service of all rows."""

    skip: int
    columns: Mapping[Meaning, int]
    service: str = ""  # a service's key


def known_rows() -> Work[Known]:
    """The register as it is now."""
    workers: dict[str, tuple[str, str] | None] = {}
    gone: set[str] = set()
    names: dict[str, str] = {}
    for worker in (yield from typed_workers()):
        name = fold(clean(worker.name))
        if worker.left_on:
            gone.add(name)
        else:
            referred = reference(NATIVE, worker.key)
            workers[name] = None if name in workers else (referred, worker.service_key)
            names[referred] = worker.name
    services: dict[str, tuple[str, Sensitivity]] = {}
    for service in (yield from typed_services()):
        referred = reference(NATIVE, service.key)
        services[fold(clean(service.name))] = services[service.key] = referred, service.sensitivity
        names[referred] = service.name
    return Known(workers=workers, gone=frozenset(gone - workers.keys()), services=services, names=names)


class ListConnector:
    """Reads the rows below the header; a workbook that takes longer than `within_s` seconds is too large.

    `latest` is what the row that came last says, cell by cell.
    """

    manifest = Manifest(incremental=False, deletions="none")

    def __init__(self, path: Path, shape: ListShape, known: Known, *, within_s: float | None = None) -> None:
        self._path = path
        self._within_s = within_s
        self._shape = shape
        self._known = known
        self._progress = Progress()
        self.latest: Mapping[Meaning, str] = {}

    def records(self, since: Cursor | None) -> Generator[SourceRecord | Rejected | Cursor]:
        """Yield the rows in order; raises SourceError."""
        return with_cursors(self._records(), fingerprint([self._path]), since)

    def acknowledge(self, cursor: Cursor) -> None:
        """Nothing to tell: a file stays as it is."""

    def estimate(self) -> int:
        """Bytes of the file."""
        return size([self._path])

    def position(self) -> int:
        """Bytes read in this run."""
        return self._progress.done

    def _records(self) -> Iterator[SourceRecord | Rejected]:
        with closing(rows_of(self._path, name=TOLD, progress=self._progress, within_s=self._within_s)) as rows:
            below = islice(rows, self._shape.skip, None)
            header = next(below, None)
            if not isinstance(header, Row):
                raise SourceError(f"{TOLD}: there is no header row")
            names = header_names(header.cells)
            for row in below:
                self.latest = {}
                yield row if isinstance(row, Rejected) else self._record(row, names)

    def _record(self, row: Row, names: list[str]) -> SourceRecord | Rejected:
        given = self.latest = {
            meaning: as_typed(row.cells[at]) if at < len(row.cells) else ""
            for meaning, at in self._shape.columns.items()
        }
        if problem := problem_of(row.cells, names):
            return Rejected(where=row.where, field="", reason=problem)
        for meaning, check in _CHECKS.items():
            if text := clean(given.get(meaning, "")):
                try:
                    check(text)
                except Unusable as error:
                    return Rejected(where=row.where, field=meaning, reason=str(error))
        try:
            key = record_key(given)
            worker, usual = self._worker(given)
            service, sensitivity = self._service(given, usual)
        except Unusable as error:
            return Rejected(where=row.where, field="", reason=str(error))
        fields: dict[str, FieldValue] = {meaning.value: cell for meaning, cell in given.items()}
        fields |= {"record": key, "worker_key": worker, "worker_new": "" if worker in self._known.names else worker}
        fields |= {"service_key": service, "sensitivity": sensitivity.value}
        return SourceRecord(kind=KIND, key=key, fields=fields, where=row.where)

    def _worker(self, given: Mapping[Meaning, str]) -> tuple[str, str]:
        """The worker's key, or their reference in the register; and the service for which they mostly work."""
        name = fold(clean(given.get(Meaning.WORKER, "")))
        if not name:
            return "", ""
        if name in self._known.gone:
            raise Unusable("names a worker who has left")
        if name not in self._known.workers:
            return f"w-{digest(name)}", ""
        worker = self._known.workers[name]
        if worker is None:
            raise Unusable("names a worker of whom there are two")
        return worker

    def _service(self, given: Mapping[Meaning, str], usual: str) -> tuple[str, Sensitivity]:
        """The row's own, else that of all rows, else the worker's. Without one no agreement would let it be told."""
        named = fold(clean(given.get(Meaning.SERVICE, ""))) or self._shape.service or usual
        if not named:
            raise Unusable("names no service")
        if named not in self._known.services:
            raise Unusable("names a service that is not among yours")
        return self._known.services[named]


def _birth_date(text: str) -> str:
    try:
        return iso_date(text, DATES)
    except Unusable:
        raise Unusable("not a date like 27/3/2012") from None


_CHECKS: Mapping[Meaning, Callable[[str], str]] = {Meaning.BIRTH_DATE: _birth_date, Meaning.NHS_NUMBER: nhs_number}
