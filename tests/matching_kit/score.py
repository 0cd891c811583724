"""Scores a matcher's answers: open set, the best single answer for each query.

    python -m tests.matching_kit.score report DIR/answers.jsonl DIR/queries.jsonl

An answer is one line, in the order of the queries; `score` only has to rank answers across queries:

    {"top": "P0000042", "score": 7.1, "grade": "probable", "disclosed": true}

Recall counts right matches among the queries about registered people (members). A false match is any accepted answer
that names the wrong person, or somebody where nobody must be found.
"""

import argparse
import itertools
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from tests.matching_kit.noise import Query


class Answer(TypedDict):
    """One line of answers.jsonl."""

    top: str | None
    score: float
    grade: str
    disclosed: bool


Row = tuple[Query, Answer]

GRADES = ("certain", "probable", "possible", "certainly-not")
PRECISION_TARGET = 0.999
POLICIES: dict[str, Callable[[Answer], bool]] = {
    "certain": lambda answer: answer["grade"] == "certain",
    "certain_or_probable": lambda answer: answer["grade"] in ("certain", "probable"),
    "disclosed": lambda answer: answer["disclosed"],
}
_DISTRICT_ONLY = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?", re.IGNORECASE)


def read_rows(answers: Path, queries: Path) -> list[Row]:
    """Queries with their answers; ends the program where they do not belong together or break the protocol."""
    asked: list[Query] = _lines(queries)
    answered: list[Answer] = _lines(answers)
    if len(answered) != len(asked):
        raise SystemExit(f"{len(answered)} answers for {len(asked)} queries")
    for number, (query, answer) in enumerate(zip(asked, answered, strict=True), start=1):
        if not {"truth", "kind"} <= query.keys():
            raise SystemExit(f"query {number} does not say who is meant: there is nothing to score by")
        if problem := _problem(answer):
            raise SystemExit(f"answer {number} {problem}")
    return list(zip(asked, answered, strict=True))


def _lines(path: Path) -> list[Any]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _problem(answer: Mapping[str, Any]) -> str | None:
    """What breaks the protocol."""
    if not {"top", "score", "grade", "disclosed"} <= answer.keys():
        return "needs top, score, grade and disclosed"
    if answer["grade"] not in GRADES:
        return "has an unknown grade"
    if type(answer["disclosed"]) is not bool:
        return "must have true or false for disclosed"
    if answer["top"] is None:
        if answer["disclosed"] or answer["grade"] != "certainly-not":
            return "names nobody, so its grade must be certainly-not and nothing can be disclosed"
    elif type(answer["score"]) not in (int, float) or not math.isfinite(answer["score"]):
        return "must have a finite number as score"
    return None


def report(rows: Sequence[Row]) -> dict[str, Any]:
    """The whole report, of one set or of several pooled."""
    return {
        "all": summary(rows),
        f"recall_at_precision_{PRECISION_TARGET}": oracle_recall(rows),
        "by_kind": _groups(rows, lambda query: query["kind"]),
        "by_typed": _groups(rows, typed),
    }


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything reported about one group of queries."""
    members = _members(rows)
    top1 = _ratio(sum(map(_is_right, rows)), members)
    policies = {name: _policy_result(rows, accepts) for name, accepts in POLICIES.items()}
    return {"queries": len(rows), "members": members, "top1_accuracy": top1, **policies}


def oracle_recall(rows: Sequence[Row]) -> dict[str, float | None]:
    """Best recall of any score threshold with the target precision, chosen on these rows (optimistic)."""
    members = _members(rows)
    named = sorted((row for row in rows if row[1]["top"] is not None), key=lambda row: -row[1]["score"])
    best: dict[str, float | None] = {"recall": 0.0, "false_matches": 0, "threshold": None}
    accepted = right = best_right = 0
    for score, tied in itertools.groupby(named, key=lambda row: row[1]["score"]):
        group = list(tied)
        accepted += len(group)
        right += sum(map(_is_right, group))
        if right >= PRECISION_TARGET * accepted and right > best_right:
            best_right = right
            best = {"recall": _ratio(right, members), "false_matches": accepted - right, "threshold": score}
    return best


def typed(query: Query) -> str:
    """What was typed beside the name, such as "birth_date+postcode" or "name only"."""
    known = {"birth_date": query["birth_date"], "birth_year": query["birth_year"], "age": query["age"]}
    birth = next((field for field, value in known.items() if value is not None), None)
    place = None
    if query["postcode"]:
        place = "district" if _DISTRICT_ONLY.fullmatch(query["postcode"].strip()) else "postcode"
    if birth and place:
        return f"{birth}+{place}"
    return birth or (f"{place} only" if place else "name only")


def _groups(rows: Sequence[Row], label: Callable[[Query], str]) -> dict[str, Any]:
    counts = Counter(label(query) for query, _ in rows)
    return {name: summary([row for row in rows if label(row[0]) == name]) for name in sorted(counts)}


def _policy_result(rows: Sequence[Row], accepts: Callable[[Answer], bool]) -> dict[str, float | None]:
    """Precision, recall and false matches if exactly the answers that the policy accepts are used."""
    accepted = [row for row in rows if row[1]["top"] is not None and accepts(row[1])]
    right = sum(map(_is_right, accepted))
    return {
        "accepted": len(accepted),
        "right": right,
        "false_matches": len(accepted) - right,
        "precision": _ratio(right, len(accepted)),
        "recall": _ratio(right, _members(rows)),
    }


def _is_right(row: Row) -> bool:
    """Whether the answer names the person whom the query is about."""
    query, answer = row
    return query["truth"] is not None and answer["top"] == query["truth"]


def _members(rows: Sequence[Row]) -> int:
    return sum(query["truth"] is not None for query, _ in rows)


def _ratio(part: int, whole: int) -> float | None:
    """A rounded share, or None of nothing."""
    return round(part / whole, 5) if whole else None


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Score a matcher's answers.")
    commands = parser.add_subparsers(dest="command", required=True)
    scoring = commands.add_parser("report", help="print the report of one run as JSON")
    scoring.add_argument("answers", type=Path)
    scoring.add_argument("queries", type=Path)
    options = parser.parse_args()
    sys.stdout.write(json.dumps(report(read_rows(options.answers, options.queries)), indent=1) + "\n")


if __name__ == "__main__":
    main()
