"""One import of a configured source, started by the pages of a serving node, in a process of its own (worker.py).

It is what `patchwork import` does, under the settings of the node that started it, which hold what only that node may
know. How it went stands in the node's database (node/records.py, last_runs). It goes on where an earlier one broke off.
"""

from dataclasses import dataclass

import orjson

from consent_ledger.errors import LedgerError
from gateway.app.node import open_node
from gateway.app.worker import Tell, carry_out, run_apart
from gateway.clock import SystemClock
from gateway.node.ingest import run_import
from gateway.node.sources import consent_recorder, open_source
from gateway.node.storage_fault import storage_fault
from gateway.settings import NodeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What is to be imported. `confirmed`: so many removals have been held before, looked at, and may be made."""

    settings: NodeSettings
    source: str
    confirmed: int = 0

    def as_json(self) -> bytes:
        """For the worker's standard input."""
        settings = self.settings.model_dump(mode="json", exclude_defaults=True)
        return orjson.dumps({"settings": settings, "source": self.source, "confirmed": self.confirmed})


def read_order(text: bytes) -> ImportOrder:
    """What as_json() wrote."""
    order = orjson.loads(text)
    settings = NodeSettings.model_validate(order["settings"], strict=False)
    return ImportOrder(settings=settings, source=order["source"], confirmed=order["confirmed"])


async def import_apart(settings: NodeSettings, source: str, confirmed: int) -> None:
    """Import one source in a process of its own; raises BrokenOff."""
    await run_apart(__name__, ImportOrder(settings=settings, source=source, confirmed=confirmed).as_json())


async def run_order(order: ImportOrder) -> None:
    """Import it; raises PatchworkError."""
    clock = SystemClock()
    settings = next(each for each in order.settings.source if each.name == order.source)
    try:
        node = await open_node(order.settings, clock=clock)
        try:
            await run_import(
                open_source(settings, federation=node.parts.me.federation),
                database=node.database,
                record_consents=consent_recorder(node.parts.ledger, node.database),
                clock=clock,
                confirmed=order.confirmed,
            )
        finally:
            await node.close()
    except LedgerError as error:
        raise storage_fault(error) from error


async def _work(order: bytes, _tell: Tell) -> None:
    await run_order(read_order(order))


if __name__ == "__main__":
    carry_out(_work)
