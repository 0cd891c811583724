"""A node's database for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.database.sqlite import open_sqlite
from tests.unit.ingest.sources import Node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """An empty node."""
    database = await open_sqlite(tmp_path / "node.db", schema="node")
    yield Node(database)
    await database.close()
