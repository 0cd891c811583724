"""How facts are gathered: nothing is opened that its owner could then no longer use, and damage is seen."""

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.database.contract import Statement, Work
from gateway.database.sqlite import open_sqlite
from gateway.doctor import expiry_watch
from gateway.doctor.expiry import Ending
from gateway.doctor.finding import Level
from gateway.doctor.gather_node import look_at_keys
from gateway.doctor.keys import check_keys
from gateway.doctor.looking import look_at_database, look_at_tls, read_only
from gateway.errors import StorageError
from gateway.node.identity import make_keys
from gateway.settings import TlsSettings, check_node


def _version() -> Work[int]:
    rows = yield Statement("PRAGMA user_version")
    return int(rows[0][0])


async def test_a_database_of_another_user_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hub.db"
    await (await open_sqlite(file, schema="hub")).close()
    facts = look_at_database(file, "hub")
    assert (facts.readable, facts.version) == (True, facts.known)
    assert read_only(file, _version()) == facts.known
    before = sorted(os.listdir(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    assert not look_at_database(file, "hub").ours
    with pytest.raises(StorageError, match="belongs to another user"):
        read_only(file, _version())
    assert sorted(os.listdir(tmp_path)) == before


async def test_a_damaged_page_is_seen_and_nothing_in_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "node.db"
    await (await open_sqlite(file, schema="node")).close()
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("CREATE TABLE kit_bramley (name TEXT NOT NULL)")
    connection.execute("INSERT INTO kit_bramley VALUES ('Kit Bramley')")
    sql = "CREATE TABLE kit_bramley (name INTEGER NOT NULL, kit_bramley_2 TEXT NOT NULL)"
    connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'kit_bramley'", (sql,))
    connection.commit()
    connection.close()
    facts = look_at_database(file, "node")
    assert facts.problem == "node database node.db: the file is damaged"


def test_files_beside_a_nodes_keys_that_cannot_be_used_are_told_once_each(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys", 0)
    shutil.copy(tmp_path / "keys" / "signing.pem", tmp_path / "keys" / "signing-backup.pem")
    (tmp_path / "keys" / f"ledger-{'A' * 43}.pem").write_text("nothing")
    settings = check_node(
        '[node]\nmember = "food-bank"\n'
        '[[federation]]\nid = "orchard"\noperator_key = "operator.jwk"\nhubs = ["https://hub.example.org"]\n',
        tmp_path / "node.toml",
    )
    facts = look_at_keys(settings)
    assert facts.problems == ()
    stray, broken = facts.unusable
    assert "signing-backup.pem: not a key that `rotate-key` made" in stray
    assert "ledger-AAA" in broken
    assert {stray, broken} <= {
        each.what for each in check_keys(facts, None, "food-bank", 0) if each.level is Level.SOON
    }


def test_a_certificate_without_its_key_is_told_by_its_file(tmp_path: Path) -> None:
    table = TlsSettings(certificate=tmp_path / "c.pem", key=tmp_path / "c.key")
    endings, (fault,) = look_at_tls(table)
    assert endings == []
    assert str(tmp_path / "c.pem") in fault


async def test_what_serves_warns_soon_after_its_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(expiry_watch, "SETTLED_S", 0.0)
    ended = Ending(kind="certificate", name="certificate c.pem", at=0.0, do="")
    with caplog.at_level("ERROR", logger="patchwork"), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await expiry_watch.keep_warning(lambda: [ended], SystemClock())
    assert [record.getMessage() for record in caplog.records] == ["expiry.near"]
