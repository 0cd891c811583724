"""What a client or an auditor is given says so if the record that it is taken from is in doubt."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.reports.access import IN_DOUBT
from tests.flow.clients_record import Run

RELEASE = ("--by", "Wendy Smith", "--to", "Kit Quillfeather", "--identity", "passport seen", "--yes")
REPORT = ("ledger", "report", "--person", "register:p1", *RELEASE)


def damage(trust: Path, seq: int) -> None:
    """One bit of an entry, as a failing disk or a hand in the file changes it."""
    with closing(sqlite3.connect(trust / "data" / "ledger.db")) as database, database:
        database.execute("DROP TRIGGER entry_is_never_changed")
        ((leaf,),) = database.execute("SELECT leaf FROM entry WHERE seq = ?", (seq,))
        changed = leaf[:-1] + bytes([leaf[-1] ^ 1])
        database.execute("UPDATE entry SET leaf = ? WHERE seq = ?", (changed, seq))


def test_a_damaged_record_is_told_to_the_client_and_to_the_officer(at_trust: Run, trust: Path) -> None:
    page = trust / "report.html"
    assert IN_DOUBT not in " ".join(at_trust(*REPORT).out.split())
    damage(trust, 6)  # somebody else's: the client's own entries can all be read
    told = at_trust(*REPORT)
    assert IN_DOUBT in " ".join(told.out.split())
    assert "THE RECORD IS IN DOUBT: entry 6 does not have its hash" in told.err
    at_trust(*REPORT, "--html", str(page))
    assert IN_DOUBT in page.read_text()


def test_an_export_of_a_damaged_record_fails_and_leaves_no_file(at_trust: Run, trust: Path) -> None:
    damage(trust, 6)
    said = at_trust("ledger", "export", "--since", "2020-01-01", "--out", str(trust / "audit.ndjson"))
    assert said.failed
    assert "THE RECORD IS IN DOUBT: entry 6 does not have its hash" in said.err
    assert not (trust / "audit.ndjson").exists()
