"""Rate, concurrency and memory limits."""

import pytest

from gateway.errors import Overloaded, TooManyRequests
from gateway.hub.limits import BURST_S, MAX_RELAYED_BYTES, MemberLimits
from tests.hub.kit import SteppingClock

RATE = 60


def _limits(clock: SteppingClock | None = None) -> MemberLimits:
    return MemberLimits(rate_per_minute=RATE, max_concurrent=2, clock=clock or SteppingClock())


def _use_up(limits: MemberLimits, member: str = "housing") -> TooManyRequests:
    for _ in range(RATE):
        try:
            limits.take(member)
        except TooManyRequests as refused:
            return refused
    raise AssertionError("the rate was never used up")


def test_rate_is_per_member_and_says_when_to_come_back() -> None:
    limits = _limits()
    assert _use_up(limits).retry_after_s == pytest.approx(1)
    limits.take("police")


def test_rate_comes_back_with_time_and_is_saved_up_only_so_far() -> None:
    clock = SteppingClock()
    limits = _limits(clock)
    _use_up(limits)
    clock.time += 1
    limits.take("housing")
    clock.time += 86_400
    for _ in range(int(BURST_S)):
        limits.take("housing")
    _use_up(limits)


def test_clock_set_back_neither_freezes_nor_fills_the_rate() -> None:
    clock = SteppingClock()
    limits = _limits(clock)
    _use_up(limits)
    clock.time -= 86_400
    _use_up(limits)
    clock.time += 1
    limits.take("housing")


def test_places_are_given_back_whatever_happens() -> None:
    limits = _limits()
    for _ in range(3):
        with pytest.raises(ValueError, match="boom"), limits.running("housing", 1), limits.running("housing", 1):
            raise ValueError("boom")


def test_one_member_cannot_take_the_places_of_others() -> None:
    limits = _limits()
    with limits.running("housing", 1), limits.running("housing", 1):
        with pytest.raises(TooManyRequests), limits.running("housing", 1):
            pass
        with limits.running("police", 1):
            pass


def test_memory_of_all_members_together_is_bounded() -> None:
    limits = _limits()
    with limits.running("housing", MAX_RELAYED_BYTES - 1):
        with pytest.raises(Overloaded), limits.running("police", 2):
            pass
        with limits.running("police", 1):
            pass
