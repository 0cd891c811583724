"""A serving node applies its time limits by itself, and its log says what went."""

import asyncio
import logging
from pathlib import Path

import pytest

from consent_ledger.exchange import SECONDS_PER_HOUR
from consent_ledger.retention_beside import drop_counts
from gateway.app.node_limits import retention_limits_of
from gateway.database.contract import Statement, Work
from gateway.node.retention import retain_daily
from tests.federation import NOW, federation

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
