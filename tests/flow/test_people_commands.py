"""`patchwork people ...`: from the report of duplicates to one person, and back, as an officer types it."""

import csv
import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import main
from tests.flow.commands import done, one_agency

HEADER = (
    "Tenancy Ref;Tenant;DOB;Address;Postcode;Do Not Disclose Address;NHS No;Officer Ref;Housing Officer;Officer Tel;"
    "Officer Mobile;Officer Email;Best Contact;Start Date;End Date;Status;Last Visit;Next Visit;Household With\n"
)
OFFICER = ("--by", "Wendy Smith", "--reason", "confirmed by telephone")
PERSONAL = ("Quillfeather", "Kit", "1991", "Orchard Way", "ZM4", "999")

Run = Callable[..., str]


def tenancy(key: str, name: str = "Quillfeather, Kit", *, private: str = "") -> str:
    return (
        f"{key};{name};17/05/1991;1 Orchard Way;ZM4 7QT;{private};;O1;Smith, Wendy;01632 960123;;;;01/02/2024;;CUR;;;\n"
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agency whose two systems both know one client, made once."""
    folder = tmp_path_factory.mktemp("agency")
    with one_agency(folder).open("a") as config:
        for name in ("old", "new"):
            config.write(
                f'[[source]]\nname = "{name}"\nmapping = "demo_housing"\noptions = {{ path = "{name}.csv" }}\n'
            )
    (folder / "node" / "old.csv").write_text(HEADER + tenancy("=T1") + tenancy("T2", "Oakes, Ada"))
    (folder / "node" / "new.csv").write_text(HEADER + tenancy("N 7"))
    done(folder, "import", "-c", "node/node.toml")
    return folder


@pytest.fixture
def node(made: Path, tmp_path: Path) -> Path:
    """Its folder, in a copy for one test."""
    shutil.copytree(made, tmp_path / "agency")
    return tmp_path / "agency" / "node"


@pytest.fixture
def run(node: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`patchwork WORDS`; what it prints, on standard error, too, if it fails."""
    monkeypatch.setenv("PATCHWORK_CONFIG", str(node / "node.toml"))

    def patchwork(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["patchwork", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return said.out + said.err if ended.value.code else said.out

    return patchwork


def test_from_the_report_to_one_person_and_back(run: Run) -> None:
    report = run("people", "duplicates")
    assert report.startswith(("probable: old:=T1 and new:N 7\n", "certain: old:=T1 and new:N 7\n"))
    assert "given exact, family exact" in report
    assert report.endswith("pairs found: 1. Nothing was changed.\n")
    command = shlex.split(next(line for line in report.splitlines() if "people merge" in line))
    blanks = iter(("Wendy Smith", "confirmed"))
    typed = [word or next(blanks) for word in command[1:]]
    assert (
        run(*typed)
        == "These two are one person from now on, until somebody decides otherwise. Ledger entries 0 and 1.\n"
    )
    assert run("people", "duplicates") == "pairs found: 0. Nothing was changed.\n"
    shown = run("people", "show", "new:N 7")
    assert shown.startswith(
        "2 records, one person\n- old:=T1\n- new:N 7\n- old:=T1 and new:N 7 are one person, decided"
    )
    assert "by Wendy Smith" in shown
    assert "ledger entry 0" in shown
    taken_back = run("people", "unmerge", "new:N 7", "old:=T1", *OFFICER)
    assert "The earlier merge is undone; nothing else is decided. Ledger entries 2 and 3." in taken_back
    assert "run the same command again" in taken_back
    assert "not one person from now on" in run("people", "unmerge", "new:N 7", "old:=T1", *OFFICER)
    assert run("people", "duplicates") == "pairs found: 0. Nothing was changed.\n"
    assert run("people", "show", "old:=T1").startswith(
        "one record\n- old:=T1\n- old:=T1 and new:N 7 are not one person"
    )
    assert run("ledger", "verify").startswith("6 entries, all as they were written")


def test_reports_for_programs_and_spreadsheets_hold_keys_and_words_unless_names_are_asked_for(
    run: Run, node: Path
) -> None:
    document = json.loads(run("people", "duplicates", "--json", "--out", str(node / "report.csv")))
    (pair,) = document["pairs"]
    assert (pair["one"], pair["other"], document["more"]) == ("old:=T1", "new:N 7", 0)
    text = (node / "report.csv").read_text("utf-8-sig")
    assert (node / "report.csv").stat().st_mode & 0o777 == 0o600
    (row,) = csv.DictReader(text.splitlines())
    assert row["one"] == "old:=T1"
    assert row["birth"] == "exact"
    assert not any(value in text + json.dumps(document) for value in PERSONAL)
    assert "Kit Quillfeather; Kit Quillfeather" in run("people", "duplicates", "--names")


def test_no_cell_is_a_formula(run: Run, node: Path) -> None:
    (node / "new.csv").write_text(HEADER + tenancy("N 7", "Quillfeather, =Kit"))
    run("import", "new")
    run("people", "duplicates", "--names", "--out", str(node / "report.csv"))
    with (node / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any("=Kit" in cell for cell in cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_a_protected_address_keeps_two_records_apart_and_no_message_names_anybody(run: Run, node: Path) -> None:
    (node / "new.csv").write_text(HEADER + tenancy("N 7", private="Y"))
    run("import", "new")
    assert run("people", "duplicates") == "pairs found: 0. Nothing was changed.\n"
    said = run("people", "merge", "old:=T1", "new:N 7", *OFFICER)
    assert said.startswith("patchwork: these two may not be made one person")
    assert not any(value in said for value in (*PERSONAL, "T1", "N 7"))
    assert run("ledger", "verify").startswith("2 entries")


def test_an_import_that_suspends_a_merge_says_so(run: Run, node: Path) -> None:
    run("people", "merge", "old:=T1", "new:N 7", *OFFICER)
    (node / "new.csv").write_text(HEADER + tenancy("N 7", private="Y"))
    assert "old:=T1 and new:N 7: the merge by hand has no effect" in run("import", "new")
    assert "WITHOUT EFFECT" in run("people", "show", "new:N 7")
    assert "merges by hand without effect: 1;" in run("node", "status")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("merge", "T1", "new:N 7", *OFFICER), "a record is named as SOURCE:KEY"),
        (("merge", "old:", "new:N 7", *OFFICER), "a record is named as SOURCE:KEY"),
        (
            ("merge", "elsewhere:T1", "new:N 7", *OFFICER),
            "no source of that name is configured; this node has: old, new",
        ),
        (("merge", "old:Quillfeather", "new:N 7", *OFFICER), "source old has no client with this number"),
        (("merge", "old:T2", "old:T2", *OFFICER), "these are one record"),
        (("merge", "old:=T1", "new:N 7", "--by", " ", "--reason", "x"), "say with --by who decides"),
        (("unmerge", "old:=T1", "new:N 7", "--by", "x", "--reason", ""), "say with --by who decides"),
        (("merge", "old:=T1", "new:N 7", "--by", "x", "--reason", "y" * 201), "--reason: at most 200 characters"),
        (("merge", "old:=T1", "new:N 7", "--by", "x\x1b[2J", "--reason", "y"), "--by: at most 200 characters"),
        (("show", "new:Quillfeather"), "source new has no client with this number"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_repeats_no_key(run: Run, words: tuple[str, ...], says: str) -> None:
    said = run("people", *words)
    assert said.startswith(f"patchwork: {says}"), said
    assert "Quillfeather" not in said
    assert run("ledger", "verify").startswith("0 entries")
