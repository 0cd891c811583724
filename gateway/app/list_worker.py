"""The import of one uploaded list, in a process of its own (worker.py): mapping a long list would hold up answers."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from connectors.contract import SourceError
from connectors.spreadsheet import Row, rows_of
from gateway.app.node import NODE_FILE
from gateway.app.worker import Tell, carry_out, run_apart
from gateway.clock import SystemClock
from gateway.database.sqlite import open_sqlite
from gateway.errors import InputError
from gateway.node.consents import ImportedConsent
from gateway.node.ingest import ImportCounts, ImportSource, run_import
from gateway.node.native import UPLOADED
from gateway.node.records import ImportIssue, last_runs, rejected_of
from gateway.node.uploaded import TOLD, ListConnector, ListShape, known_rows
from gateway.reports.csv_text import csv_text
from gateway.settings import NodeSettings
from gateway.web.upload_store import Uploaded
from gateway.web.upload_words import problem_words
from gateway.web.words import gettext as _
from gateway.web.words import language
from mappings.guess import Meaning, mapping_of
from mappings.spec import read


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrder:
    """Which file is to be imported: into which database, as which source, and where rows that are left out go.

    `language` is that in which their reasons are told.
    """

    database: str
    federation: str
    source: str
    file: str
    left_out: str
    header: Sequence[str]
    skip: int
    columns: Mapping[str, int]
    service: str
    language: str

    @property
    def shape(self) -> ListShape:
        """As the connector takes it."""
        columns = {Meaning(name): at for name, at in self.columns.items()}
        return ListShape(skip=self.skip, columns=columns, service=self.service)


async def import_list_apart(
    settings: NodeSettings, upload: Uploaded, file: Path, left_out: Path, tell: Tell
) -> Mapping[str, Any]:
    """Import an uploaded `file` in a process of its own, and write rows that are left out to a file of their own.

    Returns the counts of node/ingest.py, and as `listed` how many rows that file has. Raises BrokenOff.
    """
    order = ListOrder(
        database=str(settings.node.data / NODE_FILE),
        federation=settings.federation[0].id,
        source=f"{UPLOADED}{upload.list_id}",
        file=str(file),
        left_out=str(left_out),
        header=upload.header,
        skip=upload.skip,
        columns={meaning.value: at for meaning, at in upload.columns.items()},
        service=upload.service,
        language=language.get(),
    )
    result: Mapping[str, Any] = await run_apart(__name__, orjson.dumps(asdict(order)), tell)
    return result


async def run_list(order: ListOrder, tell: Tell) -> dict[str, int]:
    """Import it; returns what import_list_apart() does. Raises PatchworkError."""
    database = await open_sqlite(Path(order.database), schema="node")

    def progress(position: int, total: int | None, counts: ImportCounts) -> None:
        tell(100 * position // total if total else 0)

    try:
        shape = order.shape
        report = await run_import(
            ImportSource(
                name=order.source,
                federation=order.federation,
                connector=ListConnector(Path(order.file), shape, await database.read(known_rows())),
                mapping=read(mapping_of(shape.columns), "list"),
                max_removal_share=0.0,  # a row that can no longer be used says nothing against the client
            ),
            database=database,
            record_consents=_no_consents,
            clock=SystemClock(),
            progress=progress,
        )
        (run,) = await database.read(last_runs(order.source, order.federation, limit=1))
        issues = [issue for issue in await database.read(rejected_of(run.id)) if issue.whole_record]
    finally:
        await database.close()
    return {**asdict(report.counts), "listed": _write_left_out(order, issues) if issues else 0}


async def _no_consents(consents: Sequence[ImportedConsent]) -> None:
    """A list says nothing of consent."""
    if consents:
        raise InputError("a list holds statements of consent")


def _write_left_out(order: ListOrder, issues: Sequence[ImportIssue]) -> int:
    """Those rows as they stand in the file, with what is wrong in a last column; returns how many they are."""
    columns = order.shape.columns
    wrong = {issue.where: problem_words(issue.field, issue.reason, order.header, columns) for issue in issues}
    width = len(order.header)
    lines: list[list[str]] = []
    try:
        with closing(rows_of(Path(order.file), name=TOLD)) as rows:
            for number, row in enumerate(islice(rows, order.skip, None)):
                if number == 0 and isinstance(row, Row):
                    lines.append([*row.cells[:width], _("What is wrong")])
                elif isinstance(row, Row) and row.where in wrong:
                    lines.append([*[*row.cells, *[""] * width][:width], wrong[row.where]])
    except SourceError as error:
        raise InputError(str(error)) from error
    Path(order.left_out).write_bytes(csv_text(lines))
    return max(0, len(lines) - 1)


async def _work(text: bytes, tell: Tell) -> dict[str, int]:
    order = ListOrder(**orjson.loads(text))
    language.set(order.language)
    return await run_list(order, tell)


if __name__ == "__main__":
    carry_out(_work)
