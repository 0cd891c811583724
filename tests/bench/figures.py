"""The goals of what is measured, and how figures are printed beside them and written to a file."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

# key -> (goal, whether a smaller figure is better)
GOALS = {
    "answer_over_floor": (2.0, True),
    "answers_per_second_core": (1500, False),
    "log_cost": (0.75, False),
    "fanout_100_over_raw": (2.0, True),
    "slow_node_penalty": (1.1, True),
    "seal_1000_ms": (200, True),
    "leak_sizes": (1, True),
    "leak_auc": (0.52, True),
    "leak_auc_learnt": (0.52, True),
    "hub_questions_asked": (10_000, False),
    "hub_canary_found": (1, False),
    "hub_names_found": (0, True),
    "ingest_rows_per_s": (4000, False),
    "match_1m_p99_ms": (10, True),
    "match_1m_rss_mb": (800, True),
    "cold_start_s": (3, True),
    "page_first_result_ms": (300, True),
}


def write_figures(path: Path, measured: Mapping[str, Any]) -> None:
    """Into a JSON file, with the machine they were measured on; and onto standard output, each beside its goal."""
    figures = {key: round(figure, 2) if isinstance(figure, float) else figure for key, figure in measured.items()}
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    path.write_bytes(orjson.dumps({"machine": machine, **figures}, option=orjson.OPT_INDENT_2))
    for key, figure in figures.items():
        goal, smaller = GOALS.get(key, (None, True))
        if goal is None:
            sys.stdout.write(f"{key:26} {figure}\n")
        else:
            reached = figure <= goal if smaller else figure >= goal
            words = "reached" if reached else "missed"
            sys.stdout.write(f"{key:26} {figure:<10} goal {'<=' if smaller else '>='} {goal}: {words}\n")
