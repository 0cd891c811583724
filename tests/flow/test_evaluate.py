"""`patchwork people evaluate`: the counts are right, nothing but counts comes out, and nothing is left behind."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.cli import evaluate as command
from gateway.errors import InputError
from gateway.node import evaluation
from tests.federation import federation, someone

NUMBER = "9990000018"
PEOPLE = (
    ("p1", "Katherine", "Quillfeather", "1991-05-17", "ZM4 7QT", NUMBER),
    ("p2", "Robert", "Oxenholme", "1985-03-09", "ZM9 1AA", None),
    ("same", "Kate", "Quillfeather", "1991-05-17", "ZM4 7QT", NUMBER),
)
HEADING = "person,given,family,birth_date,age,postcode,nhs_number\n"
PAIRS = HEADING + (
    "register:p1,Kate,Quilfeather,17/05/1991,,ZM4 7QT,\n"  # found
    "register:same,Katherine,Quillfeather,1991-05-17,,ZM4 7QT,\n"  # another record of the same person
    "register:p2,Bob,Oxenholme,,,,\n"  # missed, by the rule that a name alone never is enough
    ",Robert,Oxenholme,1985-03-09,,ZM9 1AA,\n"  # the file says that nobody must be found
    "register:p1,Robert,Oxenholme,1985-03-09,,ZM9 1AA,\n"  # the file says that it is somebody else
    ",Nobody,Atall,1970,,,\n"
)

Evaluate = Callable[..., Result]


@pytest.fixture(scope="module")
def housing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an agency that knows PEOPLE."""
    folder = tmp_path_factory.mktemp("north")

    async def make() -> None:
        async with federation(folder, ["housing"]) as north:
            for key, given, family, born, postcode, nhs in PEOPLE:
                await north.add("housing", *someone(given, family, born, key=key, postcode=postcode, nhs=nhs))

    asyncio.run(make())
    return folder / "housing"


@pytest.fixture
def evaluate(housing: Path, tmp_path: Path) -> Evaluate:
    """Run the command over a file of this text."""
    app = typer.Typer()
    app.command()(command.evaluate_pairs)

    def run(text: str | bytes, *options: str) -> Result:
        pairs = tmp_path / "pairs.csv"
        pairs.write_bytes(text.encode() if isinstance(text, str) else text)
        arguments = ["--config", str(housing / "node.toml"), "--pairs", str(pairs), *options]
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)

    return run


def stored(housing: Path) -> list[str]:
    """Everything that the agency has stored."""
    lines: list[str] = []
    for file in sorted((housing / "data").glob("*.db")):
        with closing(sqlite3.connect(file)) as database:
            lines += database.iterdump()
    return lines


def test_who_is_found_missed_and_taken_for_another_is_counted(evaluate: Evaluate) -> None:
    ran = evaluate(PAIRS, "--json")
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    everybody = {"asked": 6, "clients": 4, "right_first": 3, "disclosed_right": 2, "disclosed_wrong": 2, "missed": 2}
    assert said["all"] == everybody
    assert said["disclosed_wrong_lines"] == [5, 6]
    assert said["missed_lines"] == [4, 6]
    assert {typed: counts["asked"] for typed, counts in said["by_typed"].items()} == {
        "birth date, postcode": 4,
        "nothing": 1,
        "part of a birth date": 1,
    }


def test_the_table_holds_counts_and_line_numbers_and_nobody(evaluate: Evaluate) -> None:
    said = evaluate(PAIRS).output
    assert "Somebody else would be disclosed in 2 of 6: lines 5, 6" in said
    for value in ("quill", "oxenholme", "kat", "robert", "bob", "1991", "1985", "zm4", "register", "p1", NUMBER):
        assert value not in said.lower()


def test_no_wrong_answer_is_no_proof(evaluate: Evaluate) -> None:
    said = evaluate(HEADING + "register:p1,Katherine,Quillfeather,1991-05-17,,ZM4 7QT,\n" * 30).output
    assert "No wrong disclosure in 30, which is too few to say how rare they are" in said


def test_a_spreadsheets_file_with_few_columns_in_another_order_is_read(evaluate: Evaluate) -> None:
    ran = evaluate(
        b"\xef\xbb\xbffamily,given,nhs_number,person\r\nQuillfeather,Kate,999 000 0018,register:p1\r\n", "--json"
    )
    assert json.loads(ran.stdout)["by_typed"]["NHS number"]["disclosed_right"] == 1


def test_nothing_is_recorded(evaluate: Evaluate, housing: Path) -> None:
    before = stored(housing)
    assert evaluate(PAIRS).exit_code == 0
    assert stored(housing) == before
    assert any("Quillfeather" in line for line in before)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("register:p1,Plantedname,X,1991-13-01,,,", "line 2: the birth date has no such month"),
        ("register:p1,Plantedname,X,2991-01-01,,,", "line 2: the birth date is in the future"),
        ("register:p1,Plantedname,X,8,,,", "line 2: birth_date holds an age"),
        ("register:p1,Plantedname,X,,1991,,", "line 2: age is not in whole years"),
        ("register:p1,Plantedname,X,,200,,", "line 2: an age is at most 130"),
        ("register:p1,Plantedname,X,,,Plantedname,", "line 2: a postcode is like"),
        ("register:p1,Plantedname,X,,,,999 000 0019", "line 2: this is not an NHS number"),
        ("register:p1,Planted\x1bname,X,,,,", "line 2: the name holds characters that cannot be printed"),
        ("register:p1,,,1991-05-17,,,", "line 2: a name or an NHS number is needed"),
        ("Plantedname,Kate,X,,,,", "line 2: person is SOURCE:KEY"),
        ("register:Plantedname,Kate,X,,,,", "line 2: person: no source has a client of this number"),
        ("register:p1,Kate,X,,,,,Plantedname", "line 2: there are more values than columns"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_by_number_and_column(evaluate: Evaluate, line: str, says: str) -> None:
    ran = evaluate(f"{HEADING}{line}\n")
    assert says in ran.stderr
    assert isinstance(ran.exception, InputError)
    assert str(ran.exception) == "pairs.csv: lines that cannot be used: 1; nobody was searched for"
    assert "lanted" not in ran.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1 names columns: person"),
        ("given,family\nKate,X\n", "line 1 names columns: person"),
        ("person,given,shoe_size\n", "line 1 names columns: person"),
        ("person,given,given\n", "line 1 names columns: person"),
        (HEADING, "there is no line below the heading"),
        (HEADING + 'register:p1,"Planted"name",X,,,,\n', "line 2: is not CSV"),
        (HEADING + f"register:p1,{'x' * 200_000},X,,,,\n", "line 2: is not CSV"),
        (b"person,given\nregister:p1,Zo\xeb\n", "is not UTF-8"),
        (HEADING + ",Kate,X,,,,\n" * 4, "there are more than 3 lines"),
    ],
    ids=range(9),
)
def test_a_file_that_cannot_be_meant_is_refused(
    evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch, text: str | bytes, says: str
) -> None:
    monkeypatch.setattr(evaluation, "MAX_LINES", 3)
    ran = evaluate(text)
    assert isinstance(ran.exception, InputError)
    assert says in str(ran.exception)
    assert "lanted" not in ran.output


def test_a_file_that_is_too_large_is_not_read(evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MAX_BYTES", len(PAIRS) - 1)
    assert "is larger than" in str(evaluate(PAIRS).exception)


def test_a_file_that_is_not_there_is_named(housing: Path) -> None:
    app = typer.Typer()
    app.command()(command.evaluate_pairs)
    ran = CliRunner().invoke(app, ["--config", str(housing / "node.toml"), "--pairs", "nowhere.csv"])
    assert str(ran.exception) == "nowhere.csv: cannot be read: No such file or directory"


def test_the_nodes_own_thresholds_count(evaluate: Evaluate, housing: Path) -> None:
    by_address = HEADING + "register:p1,Katherine,Quillfeather,,,ZM4 7QT,\n"
    assert '"disclosed_right": 1' in evaluate(by_address, "--json").output
    config = housing / "node.toml"
    before = config.read_text("utf-8")
    config.write_text(before + "\n[matching]\nbirth_needed = true\n", "utf-8")
    try:
        assert '"disclosed_right": 0' in evaluate(by_address, "--json").output
    finally:
        config.write_text(before, "utf-8")
