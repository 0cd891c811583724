"""match_..._p99_ms and match_..._rss_mb: candidate search and scoring in a process that does nothing else.

`python -m tests.bench.bench_match DATABASE QUERIES` asks a register that is indexed already. The first half of the
questions warms up, the second is measured: each once, and none that was asked before. `p99` is by the clock, from the
first statement in the database's thread to the graded match; `p99_cpu` is the same by that thread's processor time,
which other programs on the machine disturb less.
"""

import asyncio
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from gateway.database.sqlite import open_sqlite
from gateway.memory import collect_rarely
from tests.matching_kit import people, run

SEED = 8201
QUESTIONS = 8_000


def measure(folder: Path, size: int) -> dict[str, Any]:
    """Generate and index `size` people in `folder`, and ask; keys as `match_100k_p99_ms`."""
    register, queries = people.generate(size, min(QUESTIONS, size), SEED)
    people.write(folder, map(asdict, register), queries)
    asyncio.run(_build(folder / "node.db", folder / people.REGISTER))
    return asked(folder / "node.db", folder / people.QUERIES, f"match_{size // 1000}k")


async def _build(database_file: Path, register: Path) -> None:
    database = await open_sqlite(database_file, schema="node")
    await run.build(database, register)
    await database.close()


def asked(database_file: Path, queries: Path, prefix: str) -> dict[str, Any]:
    """The figures of a fresh process, under keys that begin with `prefix`."""
    command = [sys.executable, "-m", "tests.bench.bench_match", str(database_file), str(queries)]
    printed = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - this very module
    return {f"{prefix}_{key}": figure for key, figure in orjson.loads(printed).items()}


async def _ask(database_file: Path, queries: Path) -> dict[str, float]:
    questions = run.subjects(queries)
    database = await open_sqlite(database_file, schema="node")
    try:
        await run.ask(database, questions[::2])
        collect_rarely()  # as a node does that serves
        found = await run.ask(database, questions[1::2])
        resident = run.resident_mb()
    finally:
        await database.close()
    p50, p99 = run.percentiles([each.wall for each in found])
    p50_cpu, p99_cpu = run.percentiles([each.cpu for each in found])
    return {"p99_ms": p99, "p99_cpu_ms": p99_cpu, "p50_ms": p50, "p50_cpu_ms": p50_cpu, "rss_mb": resident}


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(asyncio.run(_ask(Path(sys.argv[1]), Path(sys.argv[2])))).decode())
