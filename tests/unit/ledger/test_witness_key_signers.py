"""Statements of the key that a hub cosigns with: old ones stay, and there is one for each key that signed them."""

import sqlite3
from contextlib import closing

from consent_ledger import heads
from consent_ledger.storage import Work
from gateway.database.migrate import migrations

PUBLIC = b"\x07" * 32


def run(connection: sqlite3.Connection, work: Work[list[str]] | Work[None]) -> list[str]:
    rows = None
    while True:
        try:
            sql, params = work.send(rows)  # type: ignore[arg-type]  # a generator's first send must be None
        except StopIteration as ended:
            return ended.value or []
        rows = connection.execute(sql, params).fetchall()


def keep(connection: sqlite3.Connection, statement: str, signed_by: str, now: float) -> None:
    run(connection, heads.keep_key("hub", PUBLIC, statement, signed_by=signed_by, now=now))


def test_statements_from_before_and_those_of_each_signer_are_kept_and_the_newest_are_shown() -> None:
    known = migrations("sqlite", "ledger")
    (at,) = [place for place, each in enumerate(known) if each.name.endswith("_witness_key_signers.sql")]
    with closing(sqlite3.connect(":memory:")) as ledger:
        for each in known[:at]:
            ledger.executescript(each.sql)
        ledger.execute("INSERT INTO witness_key VALUES ('hub', ?, 'from before')", (PUBLIC,))
        for each in known[at:]:
            ledger.executescript(each.sql)
        assert run(ledger, heads.key_statements("hub")) == ["from before"]
        keep(ledger, "by the first", "first", 10)
        keep(ledger, "by the first again", "first", 20)
        keep(ledger, "by the second", "second", 30)
        assert run(ledger, heads.key_statements("hub")) == ["by the second", "by the first", "from before"]
        for number in range(40):  # a hub that makes up keys can fill no file so full that nobody reads it
            keep(ledger, f"{number}", f"{number}", 100 + number)
        shown = run(ledger, heads.key_statements("hub"))
        assert (len(shown), shown[0]) == (heads.MAX_KEY_STATEMENTS, "39")
