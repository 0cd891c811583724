"""What every engine of the Database contract must do; each implementation is a parameter of `opened`."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.database.contract import Database, Statement, Work
from gateway.database.sqlite import open_sqlite
from gateway.errors import StorageError

Opener = Callable[[], Awaitable[Database]]


@pytest.fixture(params=["sqlite"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens the same database, again and again, as another process would; closes them all at the end."""
    handles: list[Database] = []

    async def opener() -> Database:
        assert request.param == "sqlite"
        handle = await open_sqlite(tmp_path / "node.db", schema="node")
        handles.append(handle)
        return handle

    yield opener
    for handle in handles:
        await handle.close()


def add(*names: str) -> Work[int]:
    yield Statement("INSERT INTO import_source (name, federation) VALUES (?, 'f')", [(name,) for name in names])
    rows = yield Statement("SELECT count(*) FROM import_source")
    return int(rows[0][0])


def names() -> Work[list[str]]:
    rows = yield Statement("SELECT name FROM import_source ORDER BY name")
    return [name for (name,) in rows]


async def test_what_was_written_is_read_by_another_connection(opened: Opener) -> None:
    first = await opened()
    assert await first.write(add("a", "b")) == 2
    second = await opened()
    assert await second.read(names()) == ["a", "b"]


async def test_work_without_statements_returns_its_result(opened: Opener) -> None:
    def nothing() -> Work[str]:
        yield from ()
        return "done"

    assert await (await opened()).read(nothing()) == "done"


async def test_an_exception_of_the_work_rolls_back_and_is_passed_on(opened: Opener) -> None:
    class Refused(Exception):
        pass

    def refusing() -> Work[None]:
        yield from add("a")
        raise Refused

    database = await opened()
    with pytest.raises(Refused):
        await database.write(refusing())
    assert await database.read(names()) == []
    assert await database.write(add("b")) == 1


async def test_a_failed_statement_rolls_back_and_names_no_value(opened: Opener) -> None:
    database = await opened()
    await database.write(add("zephyrine"))
    with pytest.raises(StorageError) as caught:
        await database.write(add("a", "zephyrine"))
    assert "zephyrine" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert await database.read(names()) == ["zephyrine"]


async def test_a_failed_statement_ends_the_work_cleanly(opened: Opener) -> None:
    ended = []

    def careful() -> Work[None]:
        try:
            yield Statement("SELECT * FROM no_such_table")
        finally:
            ended.append(True)

    with pytest.raises(StorageError):
        await (await opened()).write(careful())
    assert ended == [True]


@pytest.mark.parametrize("value", ["\udc80zephyrine", 2**70])
async def test_a_value_that_cannot_be_stored_is_a_storage_error(opened: Opener, value: str | int) -> None:
    def odd() -> Work[None]:
        yield Statement("UPDATE import_source SET name = ?", (value,))

    with pytest.raises(StorageError) as caught:
        await (await opened()).write(odd())
    assert "zephyrine" not in str(caught.value)


async def test_reading_cannot_write(opened: Opener) -> None:
    database = await opened()
    with pytest.raises(StorageError):
        await database.read(add("a"))
    assert await database.read(names()) == []


async def test_a_read_sees_one_snapshot(opened: Opener) -> None:
    database = await opened()
    between, go_on = threading.Event(), threading.Event()

    def twice() -> Work[tuple[list[str], list[str]]]:
        before = yield from names()
        between.set()
        go_on.wait(5)
        return before, (yield from names())

    reading = asyncio.create_task(database.read(twice()))
    await asyncio.to_thread(between.wait, 5)
    await database.write(add("a"))
    go_on.set()
    assert await reading == ([], [])
    assert await database.read(names()) == ["a"]


async def test_reads_that_wait_together_have_each_their_own_result_or_error(opened: Opener) -> None:
    database = await opened()
    await database.write(add("a"))

    class Refused(Exception):
        pass

    def refusing() -> Work[list[str]]:
        yield from names()
        raise Refused

    def misspelt() -> Work[list[str]]:
        yield Statement("SELECT nothing FROM nowhere")
        return []

    works = [names(), refusing(), names(), misspelt(), names()]
    found = await asyncio.gather(*(database.read(work) for work in works), return_exceptions=True)
    assert [each if isinstance(each, list) else type(each) for each in found] == [
        ["a"],
        Refused,
        ["a"],
        StorageError,
        ["a"],
    ]


async def test_a_read_that_waits_behind_another_sees_what_was_written_before_it_was_asked(opened: Opener) -> None:
    database = await opened()
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> Work[list[str]]:
        found = yield from names()
        inside.set()
        go_on.wait(5)
        return found

    first = asyncio.create_task(database.read(slow()))
    await asyncio.to_thread(inside.wait, 5)
    cancelled = asyncio.create_task(database.read(names()))
    await database.write(add("a"))
    behind = asyncio.create_task(database.read(names()))
    await asyncio.sleep(0)
    cancelled.cancel()
    go_on.set()
    assert await behind == ["a"]
    assert await first == []


async def test_a_work_that_ends_badly_harms_no_read_beside_or_after_it(opened: Opener) -> None:
    database = await opened()

    def ended() -> Work[list[str]]:
        yield from names()
        raise asyncio.CancelledError

    badly, beside = await asyncio.gather(database.read(ended()), database.read(names()), return_exceptions=True)
    assert isinstance(badly, asyncio.CancelledError)
    assert beside == []
    assert await asyncio.wait_for(database.read(names()), 5) == []


async def test_closing_waits_for_the_reads_that_were_asked_for(opened: Opener) -> None:
    database = await opened()
    await database.write(add("a"))
    asked = [asyncio.create_task(database.read(names())) for _ in range(200)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*asked) == [["a"]] * 200


async def test_a_cancelled_caller_leaves_no_transaction_open(opened: Opener) -> None:
    database, other = await opened(), await opened()
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> Work[None]:
        yield from add("a")
        inside.set()
        go_on.wait(5)
        yield from add("b")

    writing = asyncio.create_task(database.write(slow()))
    await asyncio.to_thread(inside.wait, 5)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    assert await database.write(add("c")) == 3  # all of the cancelled work, or nothing of it
    assert await other.write(add("d")) == 4


async def test_writers_of_several_connections_exclude_each_other(opened: Opener) -> None:
    def increment() -> Work[None]:
        rows = yield Statement("SELECT current_run FROM import_source")
        yield Statement("UPDATE import_source SET current_run = ?", (rows[0][0] + 1,))

    def value() -> Work[int]:
        rows = yield Statement("SELECT current_run FROM import_source")
        return int(rows[0][0])

    def start() -> Work[None]:
        yield Statement("INSERT INTO import_source (name, federation, current_run) VALUES ('a', 'f', 0)")

    databases = [await opened() for _ in range(3)]
    await databases[0].write(start())
    await asyncio.gather(*(database.write(increment()) for _ in range(10) for database in databases))
    assert await databases[0].read(value()) == 30


async def test_after_closing_everything_is_refused_and_closing_again_does_nothing(opened: Opener) -> None:
    database = await opened()
    await database.close()
    await database.close()
    with pytest.raises(StorageError):
        await database.read(names())
    with pytest.raises(StorageError):
        await database.write(add("a"))
