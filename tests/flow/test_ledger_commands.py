"""`patchwork ledger export`, `why`, `erase` and `retain` on the record of one trust."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.database.sqlite import open_sqlite
from tests.flow.clients_record import ASKER, PERSONAL, Run, empty
from tests.flow.commands import patchwork
from tests.unit.accounts.test_erase import look

TODAY = datetime.now(UTC).date()
ERASE = ("ledger", "erase", "--person", "register:p2", "--by", "Wendy Smith", "--reason", "request 17", "--yes")
RELEASE = ("--by", "Wendy Smith", "--to", "Kit Quillfeather", "--identity", "passport seen", "--yes")
REPORT = ("ledger", "report", "--person", "register:p1", *RELEASE)


def events(at_trust: Run, since: str = "2020-01-01") -> list[dict[str, object]]:
    said = at_trust("ledger", "export", "--since", since)
    assert not said.failed, said.err
    return [json.loads(line) for line in said.out.splitlines()]


def test_export_has_every_entry_and_no_client_by_name(at_trust: Run, trust: Path) -> None:
    out = trust / "audit.ndjson"
    said = at_trust("ledger", "export", "--since", "2020-01-01", "--out", str(out))
    assert said.out == ""
    assert out.stat().st_mode & 0o777 == 0o600
    lines = out.read_text().splitlines()
    assert said.err.endswith(f"AuditEvents written: {len(lines)}\n")
    assert "Nobody else vouches for the record now" in said.err  # its hub is not there
    assert not said.failed
    assert {json.loads(line)["id"].partition("-")[0] for line in lines} == {str(seq) for seq in range(8)}
    assert not any(word in out.read_text() for word in PERSONAL)
    assert not list(trust.glob(".audit*"))


def test_export_begins_on_the_day_it_is_told(at_trust: Run) -> None:
    assert len(events(at_trust, TODAY.isoformat())) >= 8
    assert events(at_trust, (TODAY + timedelta(days=1)).isoformat()) == []
    assert at_trust("ledger", "export", "--since", "yesterday").err == "patchwork: --since: a day is YYYY-MM-DD\n"


def test_export_that_cannot_be_written_says_so(at_trust: Run, trust: Path) -> None:
    said = at_trust("ledger", "export", "--since", "2020-01-01", "--out", str(trust / "nowhere" / "audit.ndjson"))
    assert said.failed
    assert "cannot be written: No such file or directory" in said.err


def test_why_says_what_a_decision_rested_on_and_nothing_of_the_subject(at_trust: Run) -> None:
    said = " ".join(at_trust("ledger", "why", "2").out.split())
    assert "Asked by: Alex Asker, Social worker, childrens-services" in said
    assert "Purpose: coordination" in said
    assert "Match: certain that it was this person" in said
    assert "given name: exact" in said
    assert "Decision: shared at most: named professional, how to reach them, dates of contact (schedule) Rule:" in said
    assert "Consent: permits at most, by entry 1: named professional" in said
    refused = " ".join(at_trust("ledger", "why", "5").out.split())
    assert "refused: the person has objected, and the rule gives way" in refused
    consent = " ".join(at_trust("ledger", "why", "1").out.split())
    assert "of contact (schedule); for the purpose: coordination" in consent
    assert "Said by: the person" in consent
    at_trust(
        "consent", "withdraw", "--person", "register:p1", "--by", "W", "--relation", "parent", "--giver-reference", "9"
    )
    withdrawal = " ".join(at_trust("ledger", "why", "8").out.split())
    assert "withdrawal of consent" in withdrawal
    assert "Said by: a parent, this agency's number 9" in withdrawal
    for seq in range(8):
        assert not any(word in at_trust("ledger", "why", str(seq)).out for word in PERSONAL)


def test_why_finds_a_question_by_its_id_at_both_ends(
    at_trust: Run, trust: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jti = at_trust("ledger", "why", "2").out.partition("Question: ")[2].split()[0]
    assert at_trust("ledger", "why", jti).out.startswith("Entry 2\n")
    monkeypatch.setenv("PATCHWORK_CONFIG", str(trust.parent / ASKER / "node.toml"))
    said = at_trust("ledger", "why", jti)
    assert "What it is: question asked from here" in said.out
    assert "Outcomes: community-trust: teams" in said.out
    assert not any(word in said.out for word in PERSONAL)


@pytest.mark.parametrize("what", ["99", "-1", "no-such-id", "9" * 30, "9" * 300])
def test_why_of_what_is_not_there(at_trust: Run, what: str) -> None:
    said = at_trust("ledger", "why", "--", what)
    assert said.failed
    assert said.err.startswith("patchwork: ")
    assert "should not happen" not in said.err


def test_nobody_is_erased_who_can_still_be_found(at_trust: Run, trust: Path) -> None:
    assert "this person can still be found here" in at_trust(*ERASE).err
    asyncio.run(empty(trust, "p1"))  # p2 is still there, and is the same person
    assert "this person can still be found here" in at_trust(*ERASE).err
    assert at_trust("ledger", "verify").out.startswith("8 entries")


def test_evidence_cannot_be_kept_apart(at_trust: Run, trust: Path) -> None:
    asyncio.run(empty(trust, "p1", "p2"))
    said = at_trust(*ERASE, "--keep-evidence")
    assert said.failed
    assert "article 17(3)" in said.err
    assert at_trust("ledger", "why", "2").out


def test_erased_person_can_be_read_nowhere_and_the_record_still_verifies(at_trust: Run, trust: Path) -> None:
    asyncio.run(empty(trust, "p1", "p2"))
    root = at_trust("ledger", "verify").out
    said = at_trust(*ERASE)
    assert "- 3 questions answered" in said.err
    assert "- 1 objection\n" in said.err
    assert "is on record as entry 8" in said.out
    verified = at_trust("ledger", "verify").out
    assert verified.startswith("9 entries, all as they were written")
    assert verified != root
    for seq in (1, 2, 3, 4, 5):
        assert "its key has been destroyed" in at_trust("ledger", "why", str(seq)).err
        assert at_trust("ledger", "allow", str(seq), "--by", "W", "--reason", "r", "--yes").failed
    told = at_trust(*REPORT)
    assert "There is no question to show here." in told.out
    assert "There is nothing to show here." in told.out
    assert "erased at somebody's request cannot be in a report" in told.out
    assert "Nothing can be read of this client" in told.err
    assert re.search(
        r"Erasures on record, of whom it does not tell: \d{4}-\d\d-\d\d \d\d:\d\d UTC \(entry 8\)", told.err
    )
    exported = {str(event["id"]): event for event in events(at_trust)}
    for seq in (1, 2, 3, 4, 5):
        assert f"{seq}-erased" in exported
        assert not [name for name in exported if name.startswith(f"{seq}-") and not name.endswith("-erased")]
        assert "Alex" not in json.dumps(exported[f"{seq}-erased"])
    # Somebody else's is untouched, and the entry about the erasure names neither client nor number.
    assert "6-query" in exported
    assert "request 17" in at_trust("ledger", "why", "8").out
    assert not any(word in json.dumps(exported["8-record"]) for word in ("p1", "p2", "person", "Patient"))
    assert "nothing is on record of this person" not in at_trust(*ERASE).err  # the report's release is, by now


def test_erasing_takes_what_the_pages_remember_of_a_client(at_trust: Run, trust: Path) -> None:
    asyncio.run(empty(trust, "p1", "p2"))
    with closing(sqlite3.connect(trust / "data" / "node.db")) as register:
        people = register.execute("SELECT key, id FROM person").fetchall()
    asyncio.run(looked_at(trust, [person_id for _, person_id in people]))
    assert not at_trust(*ERASE).failed
    with closing(sqlite3.connect(trust / "data" / "web.db")) as pages:
        left = {person_id for (person_id,) in pages.execute("SELECT person_id FROM client_seen")}
    assert left == {person_id for key, person_id in people if key not in {"p1", "p2"}}


async def looked_at(trust: Path, people: list[int]) -> None:
    """The pages' database, with an account that has looked at everybody."""
    database = await open_sqlite(trust / "data" / "web.db", schema="web")
    await database.write(look(1, people))
    await database.close()


def test_erasing_what_is_not_there(at_trust: Run, trust: Path) -> None:
    asyncio.run(empty(trust, "p1", "p2"))
    assert not at_trust(*ERASE).failed
    assert at_trust(*ERASE).err == "patchwork: nothing is on record of this person\n"


def ran_long_ago(trust: Path) -> int:
    """As if one import and all months had been years ago, with a rejected record of each run; returns how many stay."""
    with closing(sqlite3.connect(trust / "data" / "node.db")) as database, database:
        runs = database.execute("SELECT id FROM import_run ORDER BY id").fetchall()
        database.executemany(
            "INSERT INTO rejected_record (run_id, place, field, reason, whole_record) VALUES (?, 'l', 'f', 'r', 1)",
            runs,
        )
        database.execute("UPDATE import_run SET finished_at = ?", (datetime.now(UTC).timestamp(),))
        database.execute("UPDATE import_run SET finished_at = 1e9 WHERE id = ?", runs[0])
    with closing(sqlite3.connect(trust / "data" / "keys.db")) as database, database:
        database.execute("UPDATE month_key SET month = '2001-01' WHERE length(month) = 7")
    with closing(sqlite3.connect(trust / "data" / "ledger.db")) as database, database:
        database.execute("INSERT INTO replay VALUES ('northshire', 'police', 'old', 1000000000)")
        database.execute("INSERT INTO exchange_hour (hour, member, asked) VALUES (300000, 'police', 1)")
        database.execute("INSERT INTO exchange_open (jti, member, hour) VALUES ('old', 'police', 300000)")
        database.execute("INSERT INTO late_answer (member, jti, noted_hour) VALUES ('police', 'old', 300000)")
    return len(runs) - 1


def test_what_has_been_kept_long_enough_goes_and_that_it_went_is_on_record(at_trust: Run, trust: Path) -> None:
    stay = ran_long_ago(trust)
    said = at_trust("ledger", "retain")
    assert said.out == (
        "Records that imports could not use: 1 removed.\nIds of expired questions: 1 removed.\n"
        "Answers kept as evidence: 0 removed.\nCounts of questions and answers: 2 removed.\n"
        "Months and years that nobody can read any more: 2001-01.\n"
    )
    with closing(sqlite3.connect(trust / "data" / "ledger.db")) as database:
        assert database.execute("SELECT count(*) FROM late_answer").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM kept_answer").fetchone() == (3,)  # of today
    with closing(sqlite3.connect(trust / "data" / "node.db")) as database:
        assert database.execute("SELECT count(*) FROM rejected_record").fetchone() == (stay,)
    assert "its key has been destroyed" in at_trust("ledger", "why", "7").err  # a question about nobody here
    assert "Asked by" in at_trust("ledger", "why", "2").out  # one about a client is theirs
    assert (
        "What it is: agreement accepted here" in at_trust("ledger", "why", "0").out
    )  # what officers did is kept for longer
    assert "Months and years whose secrets were destroyed: 2001-01" in at_trust("ledger", "why", "8").out
    assert at_trust("ledger", "verify").out.startswith("9 entries, all as they were written")
    assert "nobody can read any more: none" in at_trust("ledger", "retain").out
    assert at_trust("ledger", "verify").out.startswith("9 entries")


def test_no_secret_is_destroyed_under_a_clock_that_the_hub_does_not_confirm(at_trust: Run, trust: Path) -> None:
    ran_long_ago(trust)
    said = patchwork(trust, "ledger", "retain", "-c", "node.toml", later=True)
    assert said.code == 1
    assert "Secrets, kept answers and counts were left alone: this machine's clock could not be compared" in said.out
    with closing(sqlite3.connect(trust / "data" / "ledger.db")) as database:
        assert database.execute("SELECT count(*) FROM exchange_hour WHERE hour = 300000").fetchone() == (1,)
    assert "Asked by" in at_trust("ledger", "why", "7").out


def test_erasing_warns_of_records_that_were_once_one_with_this_one(at_trust: Run, trust: Path) -> None:
    officer = ("--by", "Wendy Smith", "--reason", "confirmed")
    for decision in ("merge", "unmerge"):
        said = at_trust("people", decision, "register:p1", "register:q1", *officer)
        assert not said.failed, said.err
    asyncio.run(empty(trust, "p1", "p2"))
    warned = at_trust(*ERASE)
    assert "Once one person with this one, and not erased: register:q1." in warned.err
    assert "patchwork ledger withhold" in warned.err
    assert not warned.failed
    assert at_trust("ledger", "why", "6").out  # that record's own entry is still there


def test_the_officers_week_is_the_last_whole_one_and_says_how_to_see_the_running_one(at_trust: Run) -> None:
    said = at_trust("ledger", "misuse").out
    assert "0 asked, 0 answered here." in said
    running = re.search(r"last whole week. The running one as far as it has come: --week (\d{4}-W\d\d)\n", said)
    assert running is not None
    now = at_trust("ledger", "misuse", "--week", running[1]).out
    assert "0 asked, 5 answered here." in now
    assert "last whole week" not in now
