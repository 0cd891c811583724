"""Places that processes share: a second process takes what is left, and what a dead one had is free at once."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import StorageError, TooManyRequests
from gateway.hub.circuit import FAILURES_TO_OPEN, FIRST_SKIP_S, Circuits
from gateway.hub.limits import MemberLimits
from gateway.hub.places import Places, open_places
from gateway.links.contract import Delivery
from gateway.wire.coverage import DeliveryOutcome
from tests.hub.kit import SteppingClock

MOST = 4
FAULT = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
ANSWERED = Delivery(outcome=DeliveryOutcome.ANSWERED, answer=b"sealed")
OTHER = """
import sys, pathlib
from gateway.hub.places import open_places
places = open_places(pathlib.Path(sys.argv[1]), number=1, processes=2)
taken = [places.take("housing", 4) is not None for _ in range(int(sys.argv[2]))]
print(taken.count(True), places.take_try("housing") is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Of the first process of two."""
    places = open_places(tmp_path / "places", number=0, processes=2)
    yield places
    places.close()


@contextmanager
def other_process(file: Path, wants: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A second process that takes places; yields what it got."""
    command = [sys.executable, "-c", OTHER, str(file), str(wants)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
        process.kill()


def _all(places: Places, member: str = "housing") -> list[int]:
    """Take places until there are none."""
    taken = []
    while (place := places.take(member, MOST)) is not None:
        taken.append(place)
    return taken


def test_two_processes_have_no_more_places_than_one_and_a_dead_one_leaves_its_own(
    tmp_path: Path, places: Places
) -> None:
    first = places.take("housing", MOST)
    assert first is not None
    with other_process(tmp_path / "places", MOST) as (said, process):
        assert said == f"{MOST - 1} True"
        assert _all(places) == []
        assert places.take_try("housing") is None
        assert len(_all(places, "police")) == MOST
        places.give_back("housing", first)
        assert _all(places) == [first]
        process.kill()
        process.wait()
        assert len(_all(places)) == MOST - 1
        assert places.take_try("housing") is not None


def test_place_is_taken_once_by_whoever_takes_it_and_can_be_given_back(places: Places) -> None:
    taken = _all(places)
    assert sorted(taken) == list(range(MOST))
    places.give_back("housing", taken[2])
    assert _all(places) == [taken[2]]
    assert places.take_try("housing") is not None
    assert places.take_try("housing") is None


def test_what_cannot_be_opened_is_an_error_and_what_cannot_be_locked_is_taken(tmp_path: Path, places: Places) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "places")
    with pytest.raises(StorageError):
        open_places(tmp_path / "link", number=0, processes=1)
    readable = Places(os.open(tmp_path / "places", os.O_RDONLY), number=0, processes=1)
    assert readable.take("housing", MOST) is None
    readable.close()


def test_members_limit_counts_what_other_processes_run(tmp_path: Path, places: Places) -> None:
    limits = MemberLimits(rate_per_minute=60, max_concurrent=MOST, clock=SteppingClock(), places=places)
    with other_process(tmp_path / "places", MOST - 1), limits.running("housing"):
        with pytest.raises(TooManyRequests), limits.running("housing"):
            pass
        with limits.running("police"):
            pass
    for _ in range(3):
        with limits.running("housing"), limits.running("housing"), limits.running("housing"):
            pass


def test_circuits_of_two_processes_count_each_fault_once_and_end_together() -> None:
    clock = SteppingClock()
    one, two = Circuits(clock=clock), Circuits(clock=clock)
    one.when_changed(two.heard)
    two.when_changed(one.heard)
    for number in range(FAILURES_TO_OPEN):
        for each in (one, two):
            assert each.admits("housing")
        (one, two)[number % 2].record("housing", FAULT)
    assert not one.admits("housing")
    assert not two.admits("housing")
    clock.time += FIRST_SKIP_S
    assert one.admits("housing")
    one.record("housing", FAULT)
    clock.time += FIRST_SKIP_S
    assert not two.admits("housing"), "the next try comes after twice the time, whichever process failed"
    clock.time += FIRST_SKIP_S
    assert two.admits("housing")
    two.record("housing", ANSWERED)
    assert one.admits("housing")
    assert one.skipped() == []


def test_process_that_starts_later_skips_whom_the_others_skip_and_hearing_it_twice_changes_nothing() -> None:
    clock = SteppingClock()
    one, late = Circuits(clock=clock), Circuits(clock=clock)
    for _ in range(FAILURES_TO_OPEN):
        one.record("housing", FAULT)
    for _ in range(2):
        for told in one.skipped():
            late.heard(*told)
    assert late.skipped() == one.skipped()
    assert not late.admits("housing")
    clock.time += FIRST_SKIP_S
    assert late.admits("housing")


def test_one_question_tries_a_failing_member_whichever_process_it_is(tmp_path: Path, places: Places) -> None:
    clock = SteppingClock()
    circuits = Circuits(clock=clock, places=places)
    for _ in range(FAILURES_TO_OPEN):
        circuits.record("housing", FAULT)
    clock.time += FIRST_SKIP_S
    with other_process(tmp_path / "places", 0) as (said, process):
        assert said == "0 True"
        assert not circuits.admits("housing"), "the other process tries it just now"
        process.kill()
        process.wait()
        assert circuits.admits("housing")
    assert not circuits.admits("housing")
    circuits.abandon("housing")
    assert circuits.admits("housing")
    circuits.record("housing", ANSWERED)
    assert circuits.admits("housing")
