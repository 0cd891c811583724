"""tests/matching_kit: the same seed makes the same people, nothing but what was typed is read, and scores are right."""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gateway.matching.record import Candidate
from tests.matching_kit import people, report, run, score

GENERATED = {  # of 2,000 people and 800 queries: results that were published stay comparable
    99: ("17f5e45a3a1123d2", "f7ad606cd45870d9"),
    5501: ("4003628edca73ea3", "66e2e39d9d4bd37d"),
}
EVERYTHING: dict[str, Any] = {
    "given": "",
    "family": "",
    "birth_date": None,
    "birth_year": None,
    "age": None,
    "postcode": None,
}
REGISTER = [
    {
        "given": "robert",
        "middle": "james",
        "family": "quillfeather",
        "birth_date": "1985-03-09",
        "postcode": "AB10 1XY",
    },
    {"given": "olena", "middle": "", "family": "kovalenko", "birth_date": "2016-06-01", "postcode": "G2 3HY"},
    {"given": "marta", "middle": "", "family": "kovalenko", "birth_date": "2016-06-02", "postcode": "G2 3HY"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"id": f"A-{number}", "sex": "female", **row} for number, row in enumerate(REGISTER, start=1)]
    people.write(tmp_path, rows, [])
    return tmp_path


def answers(folder: Path, *queries: Mapping[str, Any], database: str = "node.db") -> list[dict[str, Any]]:
    """What run.py writes about these queries; whatever a query leaves out was not typed."""
    (folder / people.QUERIES).write_text("".join(json.dumps({**EVERYTHING, **query}) + "\n" for query in queries))
    run.run(folder / people.REGISTER, folder / people.QUERIES, folder, folder / database)
    return [json.loads(line) for line in (folder / run.ANSWERS).read_text().splitlines()]


@pytest.mark.parametrize("seed", GENERATED)
def test_a_seed_makes_the_same_bytes_on_every_machine(tmp_path: Path, seed: int) -> None:
    register, queries = people.generate(2_000, 800, seed)
    people.write(tmp_path, map(asdict, register), queries)
    made = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in (people.REGISTER, people.QUERIES)]
    assert tuple(digest[:16] for digest in made) == GENERATED[seed]
    assert sum(query["truth"] is not None for query in queries) == 400


def test_middle_names_are_given_names(folder: Path) -> None:
    assert dict(run.candidates(folder / people.REGISTER))["A-1"] == Candidate(
        names=((("robert", "james"), "quillfeather"),), birth_dates=("1985-03-09",), postcodes=("AB10 1XY",)
    )


def test_people_are_found_by_all_that_the_register_says(folder: Path) -> None:
    found = answers(
        folder,
        {"given": "robert", "family": "quillfeather", "birth_date": "1985-03-09", "postcode": "AB10 1XY"},
        {"given": "robert james", "family": "quillfeather", "birth_year": 1985, "postcode": "AB10 1XY"},
        {"given": "robert", "family": "quillfeather", "birth_date": "1985-03-09"},
    )
    assert [(each["top"], each["disclosed"]) for each in found] == [("A-1", True)] * 3
    assert found[0]["grade"] == "certain"
    assert found[0]["score"] > found[2]["score"]


def test_ages_are_counted_on_the_reference_date(folder: Path) -> None:
    """Olena turned nine on that day, Marta turns nine the day after."""
    asked = [{"given": given, "family": "kovalenko", "postcode": "G2 3HY"} for given in ("olena", "marta")]
    nine, eight = (answers(folder, *({**query, "age": age} for query in asked)) for age in (9, 8))
    assert nine[0]["score"] > eight[0]["score"]
    assert nine[1]["score"] < eight[1]["score"]


def test_nobody_is_no_person_and_certainly_not(folder: Path) -> None:
    assert (
        answers(folder, {"given": "nobody", "family": "atall"}, EVERYTHING)
        == [{"top": None, "score": 0.0, "grade": "certainly-not", "disclosed": False}] * 2
    )


def test_nothing_but_what_was_typed_is_read(folder: Path) -> None:
    typed = [
        {"given": "bob", "family": "quillfether", "birth_date": "1985-03-09", "postcode": "AB10 1XY"},
        {"given": "olena", "family": "kovalenko", "birth_date": "2016-06-01"},
        {"given": "nobody", "family": "atall"},
    ]
    lies = {"truth": "A-3", "kind": "member", "noise": ["given_typo"], "id": "A-3", "person_id": 3}
    assert answers(folder, *typed) == answers(folder, *({**query, **lies} for query in typed))


def test_an_index_that_is_kept_answers_for_no_other_register(folder: Path) -> None:
    asked = {"given": "olena", "family": "kovalenko", "birth_date": "2016-06-01"}
    first = answers(folder, asked, database="kept.db")
    assert answers(folder, asked, database="kept.db") == first
    with (folder / people.REGISTER).open("a", newline="") as file:
        csv.writer(file).writerow(["A-4", "susan", "", "smith", "1970-02-03", "female", "G2 3HY"])
    with pytest.raises(SystemExit, match="holds another register"):
        answers(folder, asked, database="kept.db")


def row(truth: str | None, top: str | None, points: float, grade: str, **query: Any) -> score.Row:
    asked: Any = EVERYTHING | {"truth": truth, "kind": "member" if truth else "stranger", "noise": []} | query
    grade = grade if top else "certainly-not"
    return asked, {"top": top, "score": points, "grade": grade, "disclosed": grade in ("certain", "probable")}


ROWS = [
    row("A", "A", 40.0, "certain", birth_date="1985-03-09", postcode="AB10 1XY"),
    row("B", "B", 30.0, "probable", birth_year=1985, postcode="AB10"),
    row("C", "D", 20.0, "probable"),
    row("E", "E", 10.0, "possible", age=9),
    row("F", None, 0.0, ""),
    row(None, "A", 25.0, "probable", postcode="G2 3HY"),
]


def test_a_report_counts_right_false_and_missed_matches() -> None:
    reported = score.report(ROWS)
    everybody = reported["all"]
    assert (everybody["queries"], everybody["members"], everybody["top1_accuracy"]) == (6, 5, 0.6)
    assert everybody["certain"] == {"accepted": 1, "right": 1, "false_matches": 0, "precision": 1.0, "recall": 0.2}
    assert everybody["disclosed"] == {"accepted": 4, "right": 2, "false_matches": 2, "precision": 0.5, "recall": 0.4}
    assert reported["recall_at_precision_0.999"] == {"recall": 0.4, "false_matches": 0, "threshold": 30.0}
    assert reported["by_kind"]["stranger"]["disclosed"]["false_matches"] == 1
    assert [*reported["by_typed"]] == [
        *("age", "birth_date+postcode", "birth_year+district", "name only", "postcode only")
    ]


def test_a_threshold_takes_all_of_a_tie_or_none() -> None:
    tied = [row("A", "A", 9.0, "certain"), row("B", "B", 5.0, "certain"), row(None, "B", 5.0, "certain")]
    assert score.oracle_recall(tied)["recall"] == 0.5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"grade": "sure"}, "answer 2 has an unknown grade"),
        ({"top": None}, "answer 2 names nobody"),
        ({"score": float("nan")}, "answer 2 must have a finite number"),
        ({"disclosed": 1}, "answer 2 must have true or false"),
    ],
)
def test_answers_that_break_the_protocol_are_not_scored(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    asked, answered = (list(column) for column in zip(*ROWS, strict=True))
    answered[1] = {**answered[1], **change}
    with pytest.raises(SystemExit, match=says):
        score.read_rows(lines(tmp_path / "answers", answered), lines(tmp_path / "queries", asked))


def test_queries_without_the_truth_are_not_scored(tmp_path: Path) -> None:
    asked = [{field: value for field, value in query.items() if field in EVERYTHING} for query, _ in ROWS]
    files = lines(tmp_path / "answers", [answer for _, answer in ROWS]), lines(tmp_path / "queries", asked)
    with pytest.raises(SystemExit, match="query 1 does not say who is meant"):
        score.read_rows(*files)


def lines(path: Path, values: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def test_sets_that_matching_was_tuned_on_are_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["report", "--seeds", "8101", "99"])
    with pytest.raises(SystemExit) as ended:
        report.main()
    assert ended.value.code == 2


def test_sets_of_one_size_are_pooled_in_the_report(tmp_path: Path) -> None:
    sets = [report.Set("small", tmp_path / f"{seed}", 200, 100, seed) for seed in (31, 32)]
    reports = report.measure(sets)
    assert reports["small"]["all"]["queries"] == 200
    assert reports["small"]["all"]["members"] == 100
    *_, line = report.table(reports).splitlines()
    pooled = reports["small"]["all"]
    assert pooled["top1_accuracy"] > 0.9
    assert line.startswith(f"| small | 200, 100 | {pooled['top1_accuracy']:.3f} | {pooled['disclosed']['right']} / ")


def test_birth_dates_in_another_form_are_counted_aloud(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers(folder, {"given": "olena", "family": "kovalenko", "birth_date": "01/06/2016"})
    assert capsys.readouterr().err.startswith("1 birth dates are not written YYYY-MM-DD")
    answers(folder, {"given": "olena", "family": "kovalenko", "birth_date": "2016-06"}, database="again.db")
    assert "birth dates" not in capsys.readouterr().err
