"""Imports one uploaded list, in a process of its own: mapping a long list in the node's would hold up its answers.

`Uploads` starts it with a `Job` on standard input. It prints a line of JSON for each batch, {"percent"}, and one at the
end: {"counts", "listed"} or {"code"}. Log events go to standard error, as the node's own.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.contract import SourceError
from connectors.spreadsheet import Row, rows_of
from gateway.clock import SystemClock
from gateway.database.contract import Statement, Work
from gateway.database.sqlite import open_sqlite
from gateway.errors import InputError, PatchworkError
from gateway.events import configure_logging
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportCounts, ImportReport, ImportSource, run_import
from gateway.node.uploaded import TOLD, ListConnector, ListShape, known_rows
from gateway.reports.csv_text import csv_text
from mappings.guess import Meaning, mapping_of
from mappings.spec import read

REASON_COLUMN: Final = "What is wrong"
_NICENESS: Final = 10  # answers come first


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file to import: into which database, as which source, and where to put the rows that are refused."""

    database: str
    federation: str
    source: str
    file: str
    refused: str
    skip: int
    columns: Mapping[str, int]
    service: str
    width: int  # columns of the header

    @property
    def shape(self) -> ListShape:
        """As the connector takes it."""
        columns = {Meaning(name): at for name, at in self.columns.items()}
        return ListShape(skip=self.skip, columns=columns, service=self.service)


def main() -> None:
    """Read the job, do it, and say what became of it."""
    configure_logging()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    job = Job(**orjson.loads(sys.stdin.buffer.read()))
    try:
        counts, listed = asyncio.run(_run(job))
    except (PatchworkError, SourceError) as error:
        _say({"code": error.code})
    else:
        _say({"counts": counts, "listed": listed})


def _say(line: Mapping[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


async def _run(job: Job) -> tuple[dict[str, int], int]:
    """Counts, and how many rows that were refused are in the file."""
    database = await open_sqlite(Path(job.database), schema="node")

    def progress(position: int, total: int | None, counts: ImportCounts) -> None:
        _say({"percent": 100 * position // total if total else 0})

    try:
        shape = job.shape
        known = await database.read(known_rows())
        report: ImportReport = await run_import(
            ImportSource(
                name=job.source,
                federation=job.federation,
                connector=ListConnector(Path(job.file), shape, known),
                mapping=read(mapping_of(shape.columns), "list"),
                max_removal_share=0.0,  # a row that can no longer be used says nothing against the client
            ),
            database=database,
            record_consents=_no_consents,
            clock=SystemClock(),
            progress=progress,
        )
        reasons = await database.read(_refused_rows(job.source))
    finally:
        await database.close()
    return asdict(report.counts), _write_refused(job, reasons) if reasons else 0


async def _no_consents(consents: Sequence[ImportedConsent]) -> None:
    """A list says nothing of consent."""
    if consents:
        raise InputError("a list holds statements of consent")


def _refused_rows(source: str) -> Work[dict[str, str]]:
    """Reasons by place, of the rows that this source's last run refused."""
    rows: Sequence[Sequence[Any]] = yield Statement(
        "SELECT r.place, r.field, r.reason FROM rejected_record r JOIN import_source s ON s.current_run = r.run_id "
        "WHERE s.name = ? AND r.whole_record = 1 ORDER BY r.id",
        (source,),
    )
    return {place: f"{field}: {reason}" if field else reason for place, field, reason in rows}


def _write_refused(job: Job, reasons: Mapping[str, str]) -> int:
    """The rows as they stand in the file, none of them a formula, with what is wrong in a last column."""
    lines: list[list[str]] = []
    with closing(rows_of(Path(job.file), name=TOLD)) as rows:
        for number, row in enumerate(islice(rows, job.skip, None)):
            if number == 0 and isinstance(row, Row):
                lines.append([*row.cells[: job.width], REASON_COLUMN])
            elif isinstance(row, Row) and row.where in reasons:
                cells = [*row.cells, *[""] * job.width][: job.width]
                lines.append([*cells, reasons[row.where]])
    path = Path(job.refused)
    path.touch(mode=0o600)
    path.write_bytes(csv_text(lines))
    return max(0, len(lines) - 1)


if __name__ == "__main__":
    main()
