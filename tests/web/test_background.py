"""Work that outlasts a request: bounded in number, time and memory, its owner's alone, and ended with the node."""

import asyncio

import pytest

from gateway.errors import InputError, TooManyRequests
from gateway.web import background
from gateway.web.background import KEPT_S, MAX_KEPT, MAX_RUNNING, Background, Job
from tests.federation import TurnedClock


async def at_once(job: Job) -> str:
    job.total, job.done = 3, 1
    await asyncio.sleep(0)
    return "a result"


async def for_ever(_: Job) -> None:
    await asyncio.Event().wait()


async def ended(job: Job) -> Job:
    async with asyncio.timeout(5):
        while not job.over:  # noqa: ASYNC110 - pages look again in the same way
            await asyncio.sleep(0)
    return job


async def test_a_result_is_its_owners_for_an_hour() -> None:
    clock = TurnedClock()
    jobs = Background(clock)
    job = jobs.start("what-if", at_once, owner="wendy")
    assert (job.over, job.percent) == (False, 0)
    assert (await ended(job)).result == "a result"
    assert job.percent == 100
    assert jobs.get(job.id, kind="what-if", owner="wendy") is jobs.latest("what-if", owner="wendy") is job
    assert jobs.get(job.id, kind="what-if", owner="somebody else") is None
    assert jobs.get(job.id, kind="verify") is None
    clock.turn(KEPT_S)
    assert jobs.get(job.id, kind="what-if", owner="wendy") is None


async def test_as_many_run_as_is_allowed_and_no_more() -> None:
    jobs = Background(TurnedClock())
    first = jobs.start("verify", for_ever, owner="")
    with pytest.raises(TooManyRequests):
        jobs.start("verify", for_ever, owner="another")
    for _ in range(MAX_RUNNING - 1):
        jobs.start("what-if", for_ever, owner="wendy", most=MAX_RUNNING)
    with pytest.raises(TooManyRequests):
        jobs.start("export", for_ever, owner="wendy")
    jobs.forget("wendy")
    await asyncio.sleep(0.01)
    assert jobs.latest("what-if") is None
    assert not first.over
    await jobs.close()
    assert first.ended is not None
    with pytest.raises(TooManyRequests):
        jobs.start("verify", at_once, owner="")


async def test_what_fails_or_takes_too_long_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_: Job) -> None:
        raise InputError("no such day")

    async def break_down(_: Job) -> None:
        raise ValueError("Katherine Bramley")

    jobs = Background(TurnedClock())
    refused = await ended(jobs.start("a", refuse, owner=""))
    assert (refused.broken, str(refused.error)) == ("input", "no such day")
    assert (await ended(jobs.start("a", break_down, owner=""))).broken == "error"
    assert "Bramley" not in caplog.text
    monkeypatch.setattr(background, "LIMIT_S", 0.01)
    assert (await ended(jobs.start("a", for_ever, owner=""))).broken == "error"


async def test_of_many_that_have_ended_the_newest_are_kept() -> None:
    jobs = Background(TurnedClock())
    made = [await ended(jobs.start("a", at_once, owner="")) for _ in range(MAX_KEPT + 3)]
    assert [jobs.get(job.id, kind="a") is not None for job in made] == [False] * 3 + [True] * MAX_KEPT
