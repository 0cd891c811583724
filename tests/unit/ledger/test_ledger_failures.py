"""What the ledger does when it cannot write, and when its process is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from consent_ledger.errors import LedgerUnavailable
from consent_ledger.ledger import Ledger
from gateway.database.sqlite import SqliteDatabase
from gateway.errors import StorageDamaged, StorageError, logged
from gateway.node.storage_fault import storage_fault

from .conftest import Files, answered

ROOT = Path(__file__).parents[3]
MANY = 200  # entries of about 1 kB: more than the pages that a test leaves


def set_limit(database: SqliteDatabase, pages: int) -> None:
    """Leave room for so many pages beyond those in use, as a disk about to be full; -1 takes the limit away."""
    connection = database._writer._conn
    count = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {count + pages if pages >= 0 else 2**31:d}")


async def test_full_disk_refuses_every_waiting_entry_and_recovers(files: Files) -> None:
    ledger, storage = await files.ledger()
    before = [await ledger.log_answer(answered(f"before{number}")) for number in range(3)]
    await run_in_writer(storage, 4)
    results = await asyncio.gather(
        *(ledger.log_answer(answered(f"full{number}")) for number in range(MANY)), return_exceptions=True
    )
    assert all(isinstance(result, LedgerUnavailable) for result in results)
    assert (await ledger.verify()).size == len(before)
    await run_in_writer(storage, -1)
    after = await asyncio.gather(*(ledger.log_answer(answered(f"full{number}")) for number in range(MANY)))
    assert sorted(place.seq for place in after) == list(range(3, 3 + MANY))  # none was half-written, none a replay
    await ledger.verify()


async def run_in_writer(database: SqliteDatabase, pages: int) -> None:
    """Set the limit in the writer's own thread."""
    await database._writer._execute(lambda: set_limit(database, pages))  # type: ignore[no-untyped-call]  # aiosqlite


async def test_full_key_store_refuses_people_without_a_key_alone(files: Files) -> None:
    storage, keys = await files.databases()
    ledger = Ledger(storage, keys, files.clock, "northshire")
    await ledger.start()
    files.opened.append(ledger)
    await ledger.log_answer(answered("known"))
    await keys._writer._execute(lambda: keys._writer._conn.execute("PRAGMA query_only = ON"))  # type: ignore[no-untyped-call]  # aiosqlite
    with pytest.raises(LedgerUnavailable):
        await ledger.log_answer(answered("new", person_id=99))
    with pytest.raises(LedgerUnavailable):
        await ledger.erase(7)
    await ledger.log_answer(answered("known again"))
    assert (await ledger.verify()).size == 2


async def test_read_only_ledger_refuses(files: Files) -> None:
    ledger, storage = await files.ledger()
    await ledger.log_answer(answered("j"))
    await storage._writer._execute(lambda: storage._writer._conn.execute("PRAGMA query_only = ON"))  # type: ignore[no-untyped-call]  # aiosqlite
    with pytest.raises(LedgerUnavailable, match="cannot be written") as refused:
        await ledger.log_answer(answered("k"))
    told = storage_fault(refused.value)
    assert told.fault == "ledger database ledger.db: the disk or the file is read-only (SQLITE_READONLY)"
    assert str(told).endswith(told.fault)
    assert logged(told) == {"code": "storage", "reason": told.fault}


def test_what_is_wrong_with_the_ledger_is_told_with_the_database_below_it() -> None:
    heard = LedgerUnavailable("the ledger cannot be written")
    assert str(storage_fault(heard)) == "ledger: the ledger cannot be written"
    heard.__cause__ = ValueError("Katherine Bramley")
    assert "Katherine" not in str(storage_fault(heard))
    heard.__cause__ = StorageDamaged(
        "keys database keys.db: the file is damaged", fault="keys database keys.db: damaged"
    )
    told = storage_fault(heard)
    assert isinstance(told, StorageDamaged), "trying again will not help, and that must not be lost"
    assert str(told) == "the ledger cannot be written: keys database keys.db: the file is damaged"
    assert told.again().fault == told.fault
    # A message of whoever raised it without naming a file goes into no log.
    assert logged(StorageError("Katherine Bramley")) == {"code": "storage"}


async def test_what_comes_while_4096_entries_wait_is_refused_and_those_are_written(files: Files) -> None:
    ledger, _ = await files.ledger()
    results = await asyncio.gather(
        *(ledger.log_answer(answered(f"j{number}")) for number in range(4096 + 10)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, LedgerUnavailable)]
    assert [str(each) for each in refused] == ["too many entries are waiting"] * 10
    assert (await ledger.head()).size == 4096


def mount(folder: Path) -> bool:
    """Put a file system of 2 MB on a folder; False if this machine does not let us."""
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - fixed command


def unmount(folder: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607 - fixed command


def fill(path: Path) -> None:
    """Write until there is no space."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not mount(folder):
        pytest.skip("mounting a small file system needs root")
    yield folder
    unmount(folder)


async def test_really_full_disk_discloses_nothing_and_recovers(small_disk: Path) -> None:
    files = Files(small_disk)
    ledger, _ = await files.ledger()
    await ledger.log_answer(answered("first"))
    with pytest.raises(OSError, match="space"):
        fill(small_disk / "ballast")
    acknowledged, refused = 1, 0
    for batch in range(20):
        results = await asyncio.gather(
            *(ledger.log_answer(answered(f"{batch}-{number}")) for number in range(64)), return_exceptions=True
        )
        acknowledged += sum(not isinstance(result, BaseException) for result in results)
        refused += sum(isinstance(result, LedgerUnavailable) for result in results)
    assert refused
    assert acknowledged + refused == 1 + 20 * 64
    (small_disk / "ballast").unlink()
    await ledger.log_answer(answered("after"))
    assert (await ledger.verify()).size == acknowledged + 1
    await files.close()


def append_until_killed(folder: Path, name: str, after: int) -> set[str]:
    """Let a process append, kill it after so many acknowledgements, and return all that it acknowledged."""
    child = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, str(Path(__file__).with_name("appending_child.py")), str(folder), name],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    with child.stdout:
        lines = [line.decode().strip() for line in islice(child.stdout, after)]
        child.send_signal(signal.SIGKILL)
        lines += [line.decode().strip() for line in child.stdout]
    assert child.wait() == -signal.SIGKILL
    assert len(lines) >= after
    return {line for line in lines if line.endswith(".")}  # the kill may have cut the last one


async def test_killed_process_keeps_every_acknowledged_entry(files: Files) -> None:
    acknowledged: set[str] = set()
    for number in range(4):  # in the middle of something, elsewhere each time
        acknowledged |= await asyncio.to_thread(append_until_killed, files.folder, str(number), 150 + 97 * number)
    ledger, _ = await files.ledger()
    await ledger.verify()
    stored = {entry.body["jti"] async for entry in ledger.entries() if entry.body is not None}
    assert acknowledged <= stored
