"""From sending the search form to a page that shows the first agency: 20 agencies asked, their answer delay included.

All nodes, the hub and the browser's part (one connection, cookies, redirect, no painting) share one process and one
core; the first answer comes no sooner than the nodes' delay of 150 ms.

    python -m tests.bench.bench_pages
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from gateway.accounts.account import Role
from mappings.vocabulary import OrganisationType
from tests import federation as tested
from tests.federation import AGREEMENT, federation, someone

NODES = 20
DELAY_MS = 150
ROUNDS = 25
ASKER = "childrens-services"
KATE = {"name": "Kate Bramley", "born-day": "17", "born-month": "5", "born-year": "1991", "reason": "COC:public-task"}


def run() -> dict[str, float]:
    """Measure; takes about 20 s."""
    return uvloop.run(_measure())


async def _measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        agencies = [f"agency-{number:02}" for number in range(NODES)]
        tested.TYPES.update(dict.fromkeys(agencies, OrganisationType.HOUSING))
        agreement = folder / "agreement.toml"
        five = ", ".join(f'"{member}"' for member in tested.FIVE)
        everybody = ", ".join(f'"{member}"' for member in (ASKER, *agencies))
        agreement.write_text(AGREEMENT.read_text().replace(f"catalogue_id = [{five}]", f"catalogue_id = [{everybody}]"))
        members = [ASKER, *agencies]
        async with federation(folder, members, agreement=agreement, delay_ms=DELAY_MS, web=True) as north:
            for member in agencies:
                await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
            user = await north.sign_in(ASKER, Role.PRACTITIONER)
            token = (await user.get("/search")).token
            taken = []
            for _ in range(ROUNDS + 2):
                began = time.perf_counter()
                page = await user.post("/search", KATE, token=token)
                taken.append(time.perf_counter() - began)
                assert "pw-person-card" in page.text, page.words
                await asyncio.sleep(0.4)  # the next one begins when this one has ended
    return {"page_first_result_ms": statistics.median(taken[2:]) * 1000}


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
