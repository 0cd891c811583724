"""Runs the real index and scorer over a register, and writes what they answer, for score.py.

    python -m tests.matching_kit.run --register DIR/register.csv --queries DIR/queries.jsonl --out DIR

Only what somebody typed is read of a query; `truth`, `kind` and `noise` may be there or not. Ages are counted as of
AGE_REFERENCE_DATE. `--database FILE` keeps the index, and a later run with the same register uses it again.
"""

import argparse
import asyncio
import csv
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.database.contract import Database, Statement, Work
from gateway.database.sqlite import open_sqlite
from gateway.matching.index import find, index_people
from gateway.matching.record import Candidate
from gateway.matching.score import Match
from gateway.memory import collect_rarely
from gateway.wire.query import NameParts, Subject
from tests.matching_kit.noise import AGE_REFERENCE_DATE
from tests.matching_kit.score import Answer

ANSWERS = "answers.jsonl"
BATCH = 5_000  # people indexed in one transaction
_FHIR_DATE = re.compile(r"\d{4}(-\d\d){0,2}")
_TYPED = ("given", "family", "birth_date", "birth_year", "age", "postcode")


@dataclass(frozen=True, slots=True)
class Found:
    """One answer, and what it cost in seconds: of the clock, and of the processor."""

    match: Match
    wall: float
    cpu: float


def candidates(register: Path) -> Iterator[tuple[str, Candidate]]:
    """The people of a register.csv as (id, what may be searched of them)."""
    with register.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, restval=""):
            yield row["id"], candidate_of(row)


def candidate_of(row: Mapping[str, str]) -> Candidate:
    given = tuple(name for name in (row["given"], row.get("middle", "")) if name)
    return Candidate(
        names=((given, row["family"]),),
        birth_dates=(row["birth_date"],) if row["birth_date"] else (),
        postcodes=(row["postcode"],) if row["postcode"] else (),
    )


def subjects(queries: Path) -> list[Subject]:
    """The questions of a queries.jsonl, of each only what was typed."""
    with queries.open(encoding="utf-8") as file:
        return [subject_of(json.loads(line)) for line in file if line.strip()]


def subject_of(line: Mapping[str, Any]) -> Subject:
    typed = {field: line.get(field) for field in _TYPED}  # nothing else of the line is seen from here on
    year = typed["birth_year"]
    return Subject(
        names=(NameParts(given=(typed["given"],) if typed["given"] else (), family=typed["family"] or ""),),
        birth_date=typed["birth_date"] or (None if year is None else f"{year:04}"),
        age=typed["age"],
        postcode=typed["postcode"],
    )


def unread_dates(register: Path, questions: Iterable[Subject]) -> int:
    """How many birth dates count for nothing, as they are written otherwise than FHIR does."""
    stored = (date for _, candidate in candidates(register) for date in candidate.birth_dates)
    asked = (question.birth_date for question in questions if question.birth_date)
    return sum(not _FHIR_DATE.fullmatch(date) for date in (*stored, *asked))


async def build(database: Database, register: Path) -> None:
    """Index the register; people are numbered as they stand there, from 1."""
    numbered = enumerate((candidate for _, candidate in candidates(register)), start=1)
    while batch := list(islice(numbered, BATCH)):
        await database.write(index_people(batch))


async def ask(database: Database, questions: Iterable[Subject]) -> list[Found]:
    """The answers, one question after the other, each timed inside the database's own thread."""
    return [await database.read(_timed(find(question, today=AGE_REFERENCE_DATE))) for question in questions]


def _timed(work: Work[Match]) -> Work[Found]:
    wall, cpu = time.perf_counter(), time.thread_time()
    match = yield from work
    return Found(match, time.perf_counter() - wall, time.thread_time() - cpu)


def people_indexed() -> Work[int]:
    """How many people can be found."""
    rows = yield Statement("SELECT count(*) FROM person_card")
    count: int = rows[0][0]
    return count


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """p50 and p99, in milliseconds."""
    ranked = sorted(seconds) or [0.0]
    return round(ranked[len(ranked) // 2] * 1000, 2), round(ranked[len(ranked) * 99 // 100] * 1000, 2)


def resident_mb() -> float:
    """Memory of this process that is in use now."""
    status = Path("/proc/self/status").read_text("ascii")
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


def write_answers(path: Path, register: Path, found: Iterable[Found]) -> int:
    """One line for each answer; returns how many people the register has."""
    matches = [each.match for each in found]
    wanted = {match.best.person_id for match in matches if match.best is not None}
    people, ids = 0, dict[int, str]()
    for people, (id_, _) in enumerate(candidates(register), start=1):
        if people in wanted:
            ids[people] = id_
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(_answer(match, ids)) + "\n" for match in matches)
    return people


def _answer(match: Match, ids: Mapping[int, str]) -> Answer:
    best = match.best
    if best is None:
        return {"top": None, "score": 0.0, "grade": "certainly-not", "disclosed": False}
    return {
        "top": ids[best.person_id],
        "score": best.score,
        "grade": best.grade.value,
        "disclosed": match.disclosable,
    }


def run(register: Path, queries: Path, out: Path, database_file: Path) -> str:
    """Index, unless the file is there, ask and write DIR/answers.jsonl; returns what it cost, in words."""
    is_new = not database_file.exists()
    questions = subjects(queries)
    if unread := unread_dates(register, questions):
        sys.stderr.write(f"{unread} birth dates are not written YYYY-MM-DD, YYYY-MM or YYYY: they count for nothing\n")
    found, built_s, indexed, resident = asyncio.run(_run(register if is_new else None, questions, database_file))
    out.mkdir(parents=True, exist_ok=True)
    if write_answers(out / ANSWERS, register, found) != indexed:
        raise SystemExit(f"{database_file} holds another register, or a part of this one: remove it")
    wall, cpu = percentiles([each.wall for each in found]), percentiles([each.cpu for each in found])
    how = f"indexed in {built_s:.0f} s" if is_new else "indexed before"
    return (
        f"{indexed:,} people, {how}; {len(found):,} questions: find p50 {wall[0]} ms, p99 {wall[1]} ms"
        f" (of processor time {cpu[0]} and {cpu[1]}); resident {resident} MB"
    )


async def _run(
    register: Path | None, questions: Iterable[Subject], database_file: Path
) -> tuple[list[Found], float, int, float]:
    """Answers, seconds for building the index, people in it, resident megabytes."""
    database = await open_sqlite(database_file, schema="node")
    try:
        began = time.perf_counter()
        if register is not None:
            await build(database, register)
        built_s = time.perf_counter() - began
        collect_rarely()  # as a node does that serves
        return await ask(database, questions), built_s, await database.read(people_indexed()), resident_mb()
    finally:
        await database.close()


def main() -> None:
    """Read the command line, run, and print speed and memory."""
    parser = argparse.ArgumentParser(description="Answer a kit's queries with the node's own index and scorer.")
    parser.add_argument("--register", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--database", type=Path, help="keep the index here; without it, it is made anew each time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.database or Path(folder) / "node.db"
        sys.stdout.write(run(options.register, options.queries, options.out, database) + "\n")


if __name__ == "__main__":
    main()
