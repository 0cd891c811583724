"""Work in a process of its own: what it is given and says, and that it ends with whoever waits for it."""

import asyncio
import os
from pathlib import Path

import pytest

from gateway.app import worker
from gateway.app.worker import run_apart
from gateway.errors import BrokenOff

WORKER = "tests.unit.worker"


async def test_it_does_what_it_is_told_as_the_least_of_the_machine_and_says_how_far_it_is() -> None:
    told: list[int] = []
    done = await run_apart(WORKER, b"do it", told.append)
    assert done == {"order": "do it", "umask": 0o077, "nice": min(19, os.nice(0) + 10)}
    assert told == [50]


@pytest.mark.parametrize(
    ("order", "code"), [("refuse", "storage"), ("die", "broken-off"), ("end", "broken-off"), ("fail", "ValueError@")]
)
async def test_what_breaks_off_says_why_and_names_nobody(
    order: str, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BrokenOff) as error:
        await run_apart(WORKER, order.encode())
    assert error.value.code.startswith(code)
    assert "Bramley" not in f"{error.value}{capfd.readouterr()}"


@pytest.mark.parametrize("times", [1, 2])
async def test_whoever_no_longer_waits_ends_it_even_in_haste(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "END_S", 0.1 if times == 1 else 60.0)
    told = tmp_path / "number"
    waiting = asyncio.create_task(run_apart("tests.unit.sleeping_worker", str(told).encode()))
    async with asyncio.timeout(20):
        while not (told.exists() and told.read_text()):  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)
        for _ in range(times):
            waiting.cancel()
            await asyncio.sleep(0.05)
        await asyncio.wait([waiting])
        assert waiting.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
