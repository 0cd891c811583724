"""One import in a process of its own, started by the pages of a serving node: `python -m gateway.app.import_worker`.

Reading and mapping records keeps a processor busy for minutes, and answers would be late if it were the one that
serves. It is what `patchwork import` does, under the settings of the node that started it, which come on standard
input and hold what only that node may know. How it went stands in the node's database (node/records.py, last_runs).
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Final

import orjson

from consent_ledger.errors import LedgerError
from gateway.app.node import open_node
from gateway.clock import SystemClock
from gateway.errors import PatchworkError
from gateway.events import configure_logging
from gateway.node.ingest import run_import
from gateway.node.sources import consent_recorder, open_source
from gateway.settings import NodeSettings

FAILED: Final = 1
NOT_READ: Final = 2  # the source could not be opened: its books say nothing of it
_NICE: Final = 10  # whatever else runs here goes first


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is to be imported. `confirmed`: so many removals have been held before, looked at, and may be made."""

    settings: NodeSettings
    source: str
    confirmed: int = 0

    def as_json(self) -> bytes:
        """For the worker's standard input."""
        settings = self.settings.model_dump(mode="json")
        return orjson.dumps({"settings": settings, "source": self.source, "confirmed": self.confirmed})


def read_order(text: bytes) -> ImportOrder:
    """What as_json() wrote."""
    order = orjson.loads(text)
    settings = NodeSettings.model_validate(order["settings"], strict=False)
    return ImportOrder(settings=settings, source=order["source"], confirmed=order["confirmed"])


async def run_order(order: ImportOrder) -> int:
    """Import it; returns an exit code."""
    clock = SystemClock()
    settings = next(each for each in order.settings.source if each.name == order.source)
    node = await open_node(order.settings, clock=clock)
    try:
        try:
            source = open_source(settings, federation=node.parts.me.federation)
        except PatchworkError:
            return NOT_READ
        await run_import(
            source,
            database=node.database,
            record_consents=consent_recorder(node.parts.ledger, node.database),
            clock=clock,
            confirmed=order.confirmed,
        )
    except (PatchworkError, LedgerError):
        return FAILED
    finally:
        await node.close()
    return 0


def main() -> None:
    """Read the order, and carry it out."""
    os.umask(0o077)
    os.nice(_NICE)
    configure_logging()
    sys.exit(asyncio.run(run_order(read_order(sys.stdin.buffer.read()))))


if __name__ == "__main__":
    main()
