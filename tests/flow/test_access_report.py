"""`patchwork ledger report`, `withhold` and `allow`: what a client is given, and what never leaves a trace in it."""

import asyncio
import io
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.flow.clients_record import Run, empty

RELEASE = ("--by", "Wendy Smith", "--to", "Kit Quillfeather", "--identity", "passport seen", "--yes")
P1 = ("ledger", "report", "--person", "register:p1", *RELEASE)
TODAY = datetime.now(UTC).astimezone().date()
SOON = (TODAY + timedelta(days=30)).isoformat()


def numbers(report: str) -> list[int]:
    """The numbers of the questions, as the report gives them."""
    questions = report.partition("Questions about you")[2].partition("What you, or")[0]
    return [int(number) for number in re.findall(r"^(\d+)\. ", questions, re.MULTILINE)]


def test_report_tells_who_asked_why_and_what_was_shared_under_which_clause(at_trust: Run) -> None:
    said = at_trust(*P1)
    assert not said.failed, said.err
    text = " ".join(said.out.split())
    assert "Who: Alex Asker, Social worker, Childrens Services" in text
    assert "Why: to find out who else is working with you" in text
    assert "About other professional support: who works with you, how to reach them, and the dates" in text
    assert "Data sharing agreement: Tests: who works with whom, version 1 Clause that allowed it:" in text
    assert '(there called "coordination")' in text
    assert "Nothing was shared. Because: you had objected to it" in text
    assert "What: Consent to share Said by: you" in text
    assert "What: Objection to sharing Said by: you About: everything that we share" in text
    assert not any(name in said.out for name in ("Priya", "Nandakumar", "Zebedee"))


def test_either_record_of_a_person_gives_the_whole_report(at_trust: Run) -> None:
    one = at_trust(*P1).out.partition("Questions about you")[2].partition("Earlier reports")[0]
    other = at_trust("ledger", "report", "--person", "register:p2", *RELEASE).out
    assert one.strip() == other.partition("Questions about you")[2].partition("Earlier reports")[0].strip()
    assert numbers(at_trust("ledger", "report", "--person", "register:q1", *RELEASE).out) == [1]


def test_safeguarding_question_waits_for_an_officer_and_only_the_officer_is_told(at_trust: Run) -> None:
    before = at_trust(*P1)
    assert numbers(before.out) == [1, 2]
    assert "safeguarding" not in before.out.partition("Questions about you")[2]
    held = (TODAY + timedelta(days=30)).isoformat()[:7]  # near midnight the day is UTC's
    assert f"Held back until you decide (patchwork ledger allow, withhold), else until {held}" in before.err
    assert ": entry 3\n" in before.err
    at_trust("ledger", "allow", "3", "--by", "Wendy Smith", "--reason", "no risk left", "--yes")
    after = at_trust(*P1)
    assert numbers(after.out) == [1, 2, 3]
    assert "to keep you or somebody else safe (safeguarding)" in after.out
    assert "Held back" not in after.err


def test_withheld_entry_leaves_no_gap_and_no_trace(at_trust: Run) -> None:
    whole = at_trust(*P1).out
    assert (
        "On record as entry"
        in at_trust("ledger", "withhold", "2", "--reason", "refuge", "--until", SOON, "--by", "W", "--yes").out
    )
    told = at_trust(*P1)
    assert "Withheld, as decided: entry 2" in told.err
    assert numbers(told.out) == [1]
    without = told.out.partition("Earlier reports")[0]
    assert "refuge" not in told.out
    # What is left is word for word what the report said of it before, but for its number.
    assert all(line in whole or line.startswith("1. ") for line in without.splitlines())
    at_trust("ledger", "allow", "2", "--by", "W", "--reason", "risk over", "--yes")
    assert numbers(at_trust(*P1).out) == [1, 2]


def test_officer_sees_which_entry_it_is_and_is_asked_before_reports_change(
    at_trust: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("ledger", "withhold", "2", "--reason", "refuge", "--until", SOON, "--by", "W")
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    said = at_trust(*words)
    assert said.failed
    assert re.search(
        r"Entry 2: question answered here, .*, asked by childrens-services, purpose: coordination", said.err
    )
    assert f"Leave it out of the client's reports until {SOON}? [y/N]: " in said.err
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert "nobody is there to answer" in at_trust("ledger", "allow", "3", "--by", "W", "--reason", "r").err
    assert at_trust("ledger", "verify").out.startswith("8 entries")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert "On record as entry 8" in at_trust(*words).out


def test_release_is_on_record_before_anything_is_written(at_trust: Run, trust: Path) -> None:
    folder = trust / "reports"
    said = at_trust(*P1, "--html", str(folder / "report.html"))  # the folder is not there
    assert said.failed
    assert "Kit Quillfeather (you)" in at_trust(*P1).out
    assert at_trust("ledger", "verify").out.startswith("10 entries")


def test_report_without_a_check_of_identity_is_not_given_out(at_trust: Run) -> None:
    for missing in ("--by", "--to", "--identity"):
        words = list(P1)
        at = words.index(missing)
        words[at + 1] = " "
        said = at_trust(*words)
        assert said.failed
        assert said.err.endswith(f"patchwork: {missing} may not be empty: it goes on record\n")
        assert said.out == ""
    said = at_trust(*P1, "--relation", "attorney", "--authority", " ")
    assert said.err.endswith("patchwork: --authority may not be empty: it goes on record\n")
    assert at_trust("ledger", "verify").out.startswith("8 entries")


def test_who_released_it_to_whom_after_which_checks_is_on_record(at_trust: Run) -> None:
    said = at_trust(*P1, "--relation", "parent", "--authority", "birth certificate seen")
    entry = re.search(r"entry (\d+)", said.err.partition("The release is on record as ")[2])
    assert entry is not None
    told = at_trust("ledger", "why", entry[1]).out
    for fact in (
        *(
            "Decided by: Wendy Smith",
            "Given to: Kit Quillfeather",
            "Who that is to the client: parent",
            "Given as: text",
        ),
        *("How their identity was checked: passport seen", "What shows that they may act: birth certificate seen"),
    ):
        assert fact in told
    assert "Kit Quillfeather (a parent)" in at_trust(*P1).out


def test_nobody_at_the_keyboard_releases_nothing(at_trust: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = at_trust("ledger", "report", "--person", "register:p1", "--yes")
    assert said.err.endswith("patchwork: --by is missing, and nobody is there to ask\n")
    said = at_trust(*P1[:-1])  # without --yes
    assert said.err.endswith("nobody is there to answer: once you have checked, run it with --yes\n")
    assert said.out == ""
    assert at_trust("ledger", "verify").out.startswith("8 entries")


def test_officer_at_the_keyboard_is_asked_for_what_goes_on_record(
    at_trust: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Wendy Smith\nKit\npassport\nno\n"))
    said = at_trust("ledger", "report", "--person", "register:p1")
    assert "How did you make sure who they are: Release this report? [y/N]: " in said.err
    assert said.failed
    assert said.out == ""
    monkeypatch.setattr(sys, "stdin", io.StringIO("Wendy Smith\nKit\npassport\ny\n"))
    said = at_trust("ledger", "report", "--person", "register:p1")
    assert said.out.startswith("Who asked about me\n")
    assert "How their identity was checked: passport" in at_trust("ledger", "why", "8").out


def test_pdf_without_its_package_is_refused_before_anything_is_on_record(
    at_trust: Run, trust: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    said = at_trust(*P1, "--pdf", str(trust / "report.pdf"))
    assert said.err.endswith("patchwork: a PDF needs the typst package: pip install 'patchwork-gateway[pdf]'\n")
    assert not (trust / "report.pdf").exists()
    assert at_trust("ledger", "verify").out.startswith("8 entries")


def test_names_are_left_out_where_roles_are_enough(at_trust: Run) -> None:
    said = at_trust(*P1, "--names", "roles").out
    assert "Who: Social worker, Childrens Services" in said
    assert "Alex" not in said
    assert "Wendy" not in said


def test_web_page_and_pdf_say_the_same_and_only_their_owner_may_read_them(at_trust: Run, trust: Path) -> None:
    page, pdf = trust / "report.html", trust / "report.pdf"
    said = at_trust(*P1, "--html", str(page), "--pdf", str(pdf))
    assert (said.failed, said.out) == (False, "")
    assert page.stat().st_mode & 0o777 == 0o600
    assert pdf.stat().st_mode & 0o777 == 0o600
    html = page.read_text()
    assert '<html lang="en-GB">' in html
    assert "<dt>Who</dt><dd>Alex Asker, Social worker, Childrens Services</dd>" in html
    assert "<script" not in html
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"pdfuaid:part>1<" in data


def test_removed_record_still_has_its_report(at_trust: Run, trust: Path) -> None:
    asyncio.run(empty(trust, "p1"))
    assert numbers(at_trust(*P1).out) == [1, 2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("withhold", "0", "--reason", "refuge", "--until", SOON, "--by", "W"), "entry 0 is in nobody's report"),
        (("withhold", "99", "--reason", "refuge", "--until", SOON, "--by", "W"), "there is no entry 99"),
        (("withhold", "2", "--reason", "refuge", "--until", "2020-01-01", "--by", "W"), "--until: a day from today on"),
        (("withhold", "2", "--reason", "refuge", "--until", "2999-01-01", "--by", "W"), "--until: a day from today on"),
        (("withhold", "2", "--reason", "refuge", "--until", "soon", "--by", "W"), "--until: a day is YYYY-MM-DD"),
        (("allow", "7", "--by", "W", "--reason", "r"), "entry 7 is in nobody's report"),
        (
            ("report", "--person", "register:Bramley", *RELEASE),
            "source register has never had a client with this number",
        ),
        (("report", "--person", "p1", *RELEASE), "a record is named as SOURCE:KEY"),
        (("report", "--person", "register:p1", *RELEASE, "--authority", "court order"), "--authority is for a parent"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_on_record(at_trust: Run, words: tuple[str, ...], says: str) -> None:
    said = at_trust("ledger", *words)
    assert said.err.startswith(f"patchwork: {says}"), said.err
    assert "Bramley" not in said.err
    assert at_trust("ledger", "verify").out.startswith("8 entries")


def test_an_agreement_that_the_settings_no_longer_list_is_named_from_the_federation_document(
    at_trust: Run, trust: Path
) -> None:
    file = trust / "node.toml"
    changed = file.read_text().replace("agreements = [", "agreements = []  # [")
    file.write_text(changed)
    assert "agreements = []" in changed
    text = " ".join(at_trust(*P1).out.split())
    assert "Data sharing agreement: Tests: who works with whom, version 1" in text
    assert '(there called "coordination")' in text
