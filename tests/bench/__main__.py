"""`make bench`: every figure of docs/benchmarks.md in one run, into one file."""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import orjson

from tests.bench import bench_answer, bench_fanout, bench_hub_memory

# key -> (goal, whether a smaller figure is better)
GOALS = {
    "answer_over_floor": (2.0, True),
    "answers_per_second_core": (1500, False),
    "log_cost": (0.75, False),
    "fanout_100_over_raw": (2.0, True),
    "slow_node_penalty": (1.1, True),
    "hub_questions_asked": (10_000, False),
    "hub_canary_found": (1, False),
    "hub_names_found": (0, True),
    "ingest_rows_per_s": (4000, False),
}


def main() -> None:
    """Measure, print each figure beside its goal, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--people", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = bench_answer.measure(Path(folder), options.people)
    figures |= bench_fanout.run()
    figures |= bench_hub_memory.run()
    figures = {key: round(figure, 2) if isinstance(figure, float) else figure for key, figure in figures.items()}
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    options.out.write_bytes(orjson.dumps({"machine": machine} | figures, option=orjson.OPT_INDENT_2))
    for key, figure in figures.items():
        goal, smaller = GOALS.get(key, (None, True))
        if goal is None:
            sys.stdout.write(f"{key:26} {figure}\n")
        else:
            reached = figure <= goal if smaller else figure >= goal
            words = "reached" if reached else "missed"
            sys.stdout.write(f"{key:26} {figure:<10} goal {'<=' if smaller else '>='} {goal}: {words}\n")


main()
