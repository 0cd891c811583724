"""ledger_verify_1m_s and inclusion_proof_us: what it costs to check a ledger, and to prove one entry of it.

`python -m tests.bench.bench_ledger --entries 1000000` writes bench-ledger.json; `make bench` has a tenth of it.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from consent_ledger import proofs
from consent_ledger.append import NO_CONSENTS
from consent_ledger.entries import AnsweredEntry, Asker
from consent_ledger.ledger import Ledger
from consent_ledger.merkle import verify_inclusion
from consent_ledger.sequencer import MAX_WAITING
from gateway.database.sqlite import open_sqlite
from tests.bench.figures import write_figures

PEOPLE = 1000
PROOFS = 2000
NOW = 1_790_000_000.0
SEED = 8
_ASKER = Asker(member="childrens-services", practitioner="p1", name="Alex Asker", role="Worker", organisation="Council")
_NAMES = {1_000_000: "1m", 100_000: "100k", 10_000: "10k"}


def measure(folder: Path, entries: int) -> dict[str, Any]:
    """Write `entries` answers into a ledger below `folder`, verify it, and prove some of them."""
    folder.mkdir(exist_ok=True)
    return asyncio.run(_measure(folder, entries))


async def _measure(folder: Path, entries: int) -> dict[str, Any]:
    keys = await open_sqlite(folder / "keys.db", schema="keys")
    storage = await open_sqlite(folder / "ledger.db", schema="ledger")
    async with Ledger(storage, keys, lambda: NOW, "bench") as ledger:
        for first in range(0, entries, MAX_WAITING):
            batch = range(first, min(first + MAX_WAITING, entries))
            await asyncio.gather(*(ledger.log_answer(_answered(number)) for number in batch))
        began, processor_began = time.perf_counter(), time.process_time()
        head = await ledger.verify()
        verify_s, processor_s = time.perf_counter() - began, time.process_time() - processor_began
        assert head.size == entries
        chosen = random.Random(SEED).sample(range(entries), min(PROOFS, entries))  # noqa: S311 - a repeatable choice
        took = []
        for seq in chosen:
            began = time.perf_counter()
            leaf, path = await storage.read(proofs.inclusion(seq, entries))
            took.append(time.perf_counter() - began)
            verify_inclusion(leaf, seq, entries, path, bytes.fromhex(head.root))
    await storage.close()
    await keys.close()
    size = _NAMES.get(entries, str(entries))
    return {
        f"ledger_verify_{size}_s": verify_s,
        f"ledger_verify_{size}_cpu_s": processor_s,  # which a busy machine disturbs less
        "inclusion_proof_us": statistics.median(took) * 1_000_000,
    }


def _answered(number: int) -> AnsweredEntry:
    return AnsweredEntry(
        issuer="childrens-services",
        jti=f"{number}",
        expires_at=int(NOW) + 60,
        query_sha256="c" * 64,
        asker=_ASKER,
        purpose="COC",
        outcome="teams",
        person_id=number % PEOPLE,
        person_ids=(number % PEOPLE,),
        consent_head=NO_CONSENTS,
        agreement_sha256=None,
        question={"purpose": "COC"},
        decisions=({"effect": "permit", "rule": "coordination"},),
    )


def main() -> None:
    """Measure, print each figure, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-ledger.json"))
    parser.add_argument("--entries", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_figures(options.out, measure(Path(folder), options.entries))


if __name__ == "__main__":
    main()
