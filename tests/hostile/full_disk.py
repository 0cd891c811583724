"""A scenario for apart.py: hub and members keep their data on small file systems, and each of them fills up in turn."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import HubError, StorageError
from gateway.node.results import MemberOutcome, MemberResult
from tests.federation import TestFederation, federation, result_of, someone

ASKER, AGENCY, OTHER, DIALS = "childrens-services", "housing", "police", "food-bank"
SIZE = 16 * 2**20
QUESTIONS = 200  # what a database's open log still holds of a full disk's room is used up long before
TEAMS, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.UNREACHABLE


def on_its_own_disk(data: Path) -> None:
    """Move a data folder, which nobody has open, to a file system of its own."""
    aside = data.with_name("aside")
    data.rename(aside)
    data.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "none", str(data)], check=True)  # noqa: S603, S607 - mount of the machine
    shutil.copytree(aside, data, dirs_exist_ok=True)


@contextmanager
def full(data: Path) -> Iterator[None]:
    """Not a byte is left on that disk."""
    ballast = data / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 65_536
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            file.write(b"x")
    yield
    ballast.unlink()


async def ask(north: TestFederation, member: str = AGENCY) -> MemberResult:
    """One member's result; all others must have answered."""
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert {each.outcome for each in completed.results if each.member.id != member} == {TEAMS}
    return result_of(completed, member)


async def ask_on(north: TestFederation, answers: list[MemberResult]) -> None:
    """Ask until it fails: each question before that one is answered."""
    for _ in range(QUESTIONS):
        answers.append(await ask(north))
        assert answers[-1].outcome is TEAMS


async def main(folder: Path) -> None:
    """One disk after the other is full, and has room again."""
    async with federation(folder, [ASKER, AGENCY, OTHER, DIALS], dialling=[DIALS]) as north:
        for member in (AGENCY, OTHER, DIALS):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.hub.close()  # and once more by restart_hub(), which changes nothing
        on_its_own_disk(folder / "hub" / "data")
        await north.restart_hub()
        for member in (ASKER, AGENCY, DIALS):
            await north.stop(member)
            on_its_own_disk(folder / member / "data")
            await north.start(member)
        await north.refresh()
        assert (await ask(north)).outcome is TEAMS
        for member in (AGENCY, DIALS):
            await the_members_disk(north, member)
        await the_hubs_disk(north)
        await the_askers_disk(north)
        for member in (ASKER, AGENCY, DIALS):
            await north.nodes[member].parts.ledger.verify()


async def the_members_disk(north: TestFederation, member: str) -> None:
    """Nothing leaves that is not on record, and it is shown as no answer."""
    answered = len(await north.ledger(member))
    with full(north.folder / member / "data"):
        for _ in range(QUESTIONS):
            result = await ask(north, member)
            assert result.outcome in {TEAMS, UNREACHABLE}, result.outcome
            answered += result.outcome is TEAMS
            if result.outcome is UNREACHABLE:
                break
        assert result.outcome is UNREACHABLE, "the disk never was full"
        assert result.member.duty_contact
        assert len(await north.ledger(member)) == answered
    assert (await ask(north, member)).outcome is TEAMS
    assert len(await north.ledger(member)) == answered + 1


async def the_hubs_disk(north: TestFederation) -> None:
    """It takes no question that it could be asked again, and serves what it holds."""
    answered = len(await north.ledger(AGENCY))
    with full(north.folder / "hub" / "data"):
        answers: list[MemberResult] = []
        with pytest.raises(HubError, match="503"):
            await ask_on(north, answers)
        await north.nodes[AGENCY].parts.membership.refresh()
        assert len(await north.ledger(AGENCY)) == answered + len(answers)
    assert (await ask(north)).outcome is TEAMS


async def the_askers_disk(north: TestFederation) -> None:
    """What cannot be put on record is not asked."""
    with full(north.folder / ASKER / "data"), pytest.raises(StorageError, match="the disk is full"):
        await ask_on(north, [])
    assert (await ask(north)).outcome is TEAMS


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
