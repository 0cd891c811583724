"""Skipping members that keep failing."""

from gateway.hub.circuit import FAILURES_TO_OPEN, FIRST_SKIP_S, LONGEST_SKIP_S, Circuits
from gateway.links.contract import Delivery
from gateway.wire.coverage import DeliveryOutcome
from tests.hub.kit import SteppingClock

FAULT = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
REFUSED = Delivery(outcome=DeliveryOutcome.UNREACHABLE)
ANSWERED = Delivery(outcome=DeliveryOutcome.ANSWERED, answer=b"sealed")


def _fail(circuits: Circuits, times: int) -> None:
    for _ in range(times):
        assert circuits.admits("housing")
        circuits.record("housing", FAULT)


def test_member_is_skipped_after_failing_in_a_row_and_others_are_not() -> None:
    circuits = Circuits(clock=SteppingClock())
    _fail(circuits, FAILURES_TO_OPEN)
    assert not circuits.admits("housing")
    assert circuits.admits("police")


def test_success_in_between_starts_the_count_again() -> None:
    circuits = Circuits(clock=SteppingClock())
    _fail(circuits, FAILURES_TO_OPEN - 1)
    circuits.record("housing", ANSWERED)
    _fail(circuits, FAILURES_TO_OPEN - 1)
    assert circuits.admits("housing")


def test_refusals_that_an_asker_can_provoke_never_silence_a_member() -> None:
    circuits = Circuits(clock=SteppingClock())
    for _ in range(10 * FAILURES_TO_OPEN):
        assert circuits.admits("housing")
        circuits.record("housing", REFUSED)


def test_one_question_at_a_time_tries_a_skipped_member_again() -> None:
    clock = SteppingClock()
    circuits = Circuits(clock=clock)
    _fail(circuits, FAILURES_TO_OPEN)
    clock.time += FIRST_SKIP_S
    assert circuits.admits("housing")
    assert not circuits.admits("housing")
    circuits.record("housing", ANSWERED)
    assert circuits.admits("housing")
    assert circuits.admits("housing")


def test_many_questions_that_fail_at_once_skip_a_member_no_longer_than_one_would() -> None:
    clock = SteppingClock()
    circuits = Circuits(clock=clock)
    under_way = 10 * FAILURES_TO_OPEN
    assert all(circuits.admits("housing") for _ in range(under_way))
    for _ in range(under_way):
        circuits.record("housing", FAULT)
    assert not circuits.admits("housing")
    clock.time += FIRST_SKIP_S
    assert circuits.admits("housing")


def test_abandoned_trial_leaves_the_next_question_to_try() -> None:
    clock = SteppingClock()
    circuits = Circuits(clock=clock)
    _fail(circuits, FAILURES_TO_OPEN)
    clock.time += FIRST_SKIP_S
    assert circuits.admits("housing")
    circuits.abandon("housing")
    assert circuits.admits("housing")


def test_skips_grow_but_stay_bounded_even_if_the_clock_is_set_back() -> None:
    clock = SteppingClock()
    circuits = Circuits(clock=clock)
    _fail(circuits, FAILURES_TO_OPEN)
    for _ in range(100):
        clock.time += LONGEST_SKIP_S
        _fail(circuits, 1)
    clock.time += LONGEST_SKIP_S - 1
    assert not circuits.admits("housing")
    clock.time -= 86_400
    assert circuits.admits("housing")


def test_a_node_that_dials_one_process_again_is_tried_by_each() -> None:
    clock = SteppingClock()
    here, elsewhere = Circuits(clock=clock), Circuits(clock=clock)
    here.when_changed(elsewhere.heard)
    _fail(here, FAILURES_TO_OPEN)
    assert not elsewhere.admits("housing")
    here.try_again("housing")
    assert elsewhere.admits("housing")
    assert not elsewhere.admits("housing"), "not more than one at a time"


def test_a_node_that_dials_and_has_seldom_failed_is_no_news_to_other_processes() -> None:
    clock = SteppingClock()
    here, elsewhere = Circuits(clock=clock), Circuits(clock=clock)
    here.when_changed(elsewhere.heard)
    _fail(here, FAILURES_TO_OPEN - 1)
    here.try_again("housing")
    assert elsewhere.admits("housing")
    elsewhere.record("housing", REFUSED)
    assert not elsewhere.skips("housing")
