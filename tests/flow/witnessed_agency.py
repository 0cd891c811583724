"""A federation in which the agency that knows Katherine has two witnesses: the hub, and another member."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.federation import TestFederation, federation, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"


@asynccontextmanager
async def witnessed_agency(folder: Path) -> AsyncIterator[TestFederation]:
    """Three members; the hub and OTHER are witnesses of AGENCY."""
    async with federation(folder, [ASKER, AGENCY, OTHER]) as running:
        with (running.folder / AGENCY / "node.toml").open("a") as config:
            config.write(f'[ledger]\nwitnesses = ["{OTHER}"]\n')
        await again(running, AGENCY)
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def again(north: TestFederation, member: str) -> None:
    """A member's node goes down, and up with the files it now has."""
    await north.stop(member)
    await north.start(member)
    await north.refresh()


async def ask(north: TestFederation) -> str:
    """A question about Katherine; returns its id."""
    return (await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")).jti
