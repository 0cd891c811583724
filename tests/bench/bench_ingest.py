"""ingest_rows_per_s: a 100,000-row export mapped, validated, keyed and stored, on one core (docs/benchmarks.md).

`python -m tests.bench.bench_ingest FOLDER ROWS` imports into the databases below FOLDER, which stay there.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from consent_ledger.ledger import Ledger
from gateway.clock import SystemClock
from gateway.database.sqlite import open_sqlite
from gateway.node.ingest import run_import
from gateway.node.sources import consent_recorder, open_source
from gateway.settings import SourceSettings
from tests.bench.register import write_export


def measure(folder: Path, rows: int) -> dict[str, float]:
    """Import `rows` generated rows into the node's databases below `folder`; made if need be."""
    export = folder / "housing.csv"
    write_export(export, rows)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    began = time.perf_counter()
    asyncio.run(_import(folder, export))
    return {"ingest_rows_per_s": round(rows / (time.perf_counter() - began))}


async def _import(folder: Path, export: Path) -> None:
    ledger_database = await open_sqlite(folder / "ledger.db", schema="ledger")
    keys_database = await open_sqlite(folder / "keys.db", schema="keys")
    database = await open_sqlite(
        folder / "node.db", schema="node", attach={"ledger": folder / "ledger.db", "keys": folder / "keys.db"}
    )
    ledger = Ledger(ledger_database, keys_database, SystemClock().now, "bench")
    await ledger.start()
    settings = SourceSettings(name="housing", mapping="demo_housing", options={"path": str(export)})
    report = await run_import(
        open_source(settings, federation="bench"),
        database=database,
        record_consents=consent_recorder(ledger, database),
        clock=SystemClock(),
    )
    assert report.counts.rejected == 0, report.issues
    await ledger.close()
    for each in (database, ledger_database, keys_database):
        await each.close()


if __name__ == "__main__":
    sys.stdout.write(str(measure(Path(sys.argv[1]), int(sys.argv[2]))["ingest_rows_per_s"]) + "\n")
