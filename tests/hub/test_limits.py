"""Rate, concurrency and what is being read, of each member."""

import pytest

from gateway.errors import Replayed, TooManyRequests
from gateway.hub.bucket import BURST_S
from gateway.hub.limits import MAX_READING_BYTES, MAX_REPLAYED, MemberLimits
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
        with pytest.raises(ValueError, match="boom"), limits.running("housing"), limits.running("housing"):
            raise ValueError("boom")


def test_one_member_cannot_take_the_places_of_others() -> None:
    limits = _limits()
    with limits.running("housing"), limits.running("housing"):
        with pytest.raises(TooManyRequests), limits.running("housing"):
            pass
        with limits.running("police"):
            pass


def test_one_member_cannot_fill_what_all_may_send_at_once() -> None:
    limits = _limits()
    with limits.reading("housing", MAX_READING_BYTES):
        with pytest.raises(TooManyRequests), limits.reading("housing", 1):
            pass
        with limits.reading("police", MAX_READING_BYTES):
            pass
    with limits.reading("housing", 1):
        pass


def test_nothing_is_read_from_a_member_whose_rate_is_used_up_and_reading_uses_up_none() -> None:
    limits = _limits()
    for _ in range(3 * RATE):
        with limits.reading("housing", 1):
            pass
    _use_up(limits)
    with pytest.raises(TooManyRequests), limits.reading("housing", 1):
        pass


def test_a_request_shown_again_spends_nothing_and_what_is_remembered_of_them_is_bounded() -> None:
    limits = _limits()
    limits.take("housing")
    limits.replayed("housing", "first")
    limits.check_replayed("police", "first")
    for number in range(MAX_REPLAYED):
        limits.check_replayed("housing", str(number))
        limits.replayed("housing", str(number))
        with pytest.raises(Replayed):
            limits.check_replayed("housing", str(number))
    limits.check_replayed("housing", "first")
    for _ in range(int(RATE / 60 * BURST_S)):  # as many as ever, and no more for all that was given back
        limits.take("housing")
    with pytest.raises(TooManyRequests):
        limits.take("housing")
