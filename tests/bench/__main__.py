"""`make bench`: every figure of docs/benchmarks.md in one run, into one file; bench_large.py has those of a million."""

import argparse
import tempfile
from pathlib import Path

from tests.bench import (
    bench_answer,
    bench_fanout,
    bench_hub_memory,
    bench_leak,
    bench_ledger,
    bench_match,
    bench_pages,
    bench_seal,
)
from tests.bench.figures import write_figures

PEOPLE_FOR_LEAK = 20_000  # enough that whom nobody knows is looked for as long as in a larger register


def main() -> None:
    """Measure, print each figure beside its goal, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--people", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = bench_answer.measure(Path(folder), options.people)
        figures |= bench_match.measure(Path(folder) / "match", options.people)
        figures |= bench_ledger.measure(Path(folder) / "ledger", options.people // 10)
        figures |= bench_leak.measure(Path(folder) / "leak", min(options.people, PEOPLE_FOR_LEAK))
    figures |= bench_fanout.run()
    figures |= bench_hub_memory.run()
    figures |= bench_pages.run()
    figures |= bench_seal.run()
    write_figures(options.out, figures)


main()
