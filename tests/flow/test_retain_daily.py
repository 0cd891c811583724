"""A serving node applies its time limits by itself, and its log says what went."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from consent_ledger.exchange import SECONDS_PER_HOUR
from consent_ledger.retention_beside import PIECE_ROWS, drop_counts
from gateway.app.node_limits import retention_limits_of
from gateway.database.contract import Database, Statement, Work
from gateway.node import retention
from gateway.node.records import begin_run
from gateway.node.retention import retain_daily
from tests.federation import NAME, NOW, federation

AGENCY = "housing"
OLD, RECENT = int(NOW) // SECONDS_PER_HOUR - 401 * 24, int(NOW) // SECONDS_PER_HOUR - 399 * 24


def _counts() -> Work[None]:
    for hour in (OLD, RECENT):
        yield Statement("INSERT INTO exchange_hour (hour, member, asked) VALUES (?, 'police', 1)", (hour,))


async def test_counts_older_than_the_settings_say_go_and_the_log_tells_how_many(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with federation(tmp_path, [AGENCY]) as north:
        node = north.nodes[AGENCY]
        await node.ledger_database.write(_counts())
        caplog.set_level(logging.INFO, "patchwork")
        task = asyncio.create_task(retain_daily(node.parts, node.ledger_database, retention_limits_of(node.settings)))
        async with asyncio.timeout(10):
            while "retention.applied" not in caplog.text:
                assert not task.done(), task
                await asyncio.sleep(0.02)
        task.cancel()
        (told,) = [record for record in caplog.records if record.message == "retention.applied"]
        assert told.__dict__["event_fields"]["counts"] == 1
        assert list(await node.parts.ledger.exchanged("police", 0, RECENT + 1)) == [RECENT]
        assert await node.ledger_database.write(drop_counts(RECENT)) == 0


async def test_rows_go_a_piece_at_a_time_so_that_no_answer_waits_for_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAUSE_S", 0)
    async with federation(tmp_path, [AGENCY]) as north:
        node = north.nodes[AGENCY]
        await node.ledger_database.write(_replay_rows(600))
        await node.database.write(_rejected_rows(600))
        largest: dict[str, int] = {}

        def measured(database: Database, name: str) -> None:
            write = database.write

            async def measure(work: Work[Any]) -> object:
                done = await write(work)
                if isinstance(done, int):
                    largest[name] = max(largest.get(name, 0), done)
                return done

            monkeypatch.setattr(database, "write", measure)

        measured(node.database, "node")
        measured(node.ledger_database, "ledger")
        done = await retention.retain(node.parts, node.ledger_database, retention_limits_of(node.settings))
        assert (done.replay, done.rejected) == (600, 600)
        assert largest == {"node": PIECE_ROWS, "ledger": PIECE_ROWS}


def _replay_rows(number: int) -> Work[None]:
    rows = [(f"{each}", int(NOW) - 1) for each in range(number)]
    yield Statement("INSERT INTO replay (federation, issuer, jti, keep_until) VALUES ('northshire', 'a', ?, ?)", rows)
    yield Statement("UPDATE ledger_head SET clock_high = ?", (NOW,))


def _rejected_rows(number: int) -> Work[None]:
    yield from begin_run("register", NAME, "test", NOW - 400 * 86_400)
    ((run,),) = yield Statement("UPDATE import_run SET finished_at = started_at RETURNING id")
    rows = [(run, f"line {each}") for each in range(number)]
    yield Statement(
        "INSERT INTO rejected_record (run_id, place, field, reason, whole_record) VALUES (?, ?, 'f', 'r', 1)", rows
    )
