"""How much may come over a link that a node has opened."""

from gateway.links.bounded_socket import FIRST_BYTES, SPARE_S, Allowance

EACH = 14_336
FIRST = int(FIRST_BYTES)


def test_what_may_come_unasked_is_used_up_and_comes_back_with_time_and_no_more_than_that() -> None:
    allowance = Allowance(each=EACH, now=0.0)
    assert allowance.take(FIRST, 0.0)
    assert not allowance.take(1, 0.0)
    allowance = Allowance(each=EACH, now=0.0)
    assert allowance.take(FIRST, 0.0)
    assert allowance.take(FIRST // 2, SPARE_S / 2)
    assert not allowance.take(FIRST + 1, SPARE_S * 100)


def test_signs_of_life_of_a_year_are_no_flood() -> None:
    allowance = Allowance(each=EACH, now=0.0)
    assert all(allowance.take(2 * 131, 15.0 * number) for number in range(10_000))


def test_each_question_lets_one_answer_come_and_nothing_is_saved_up() -> None:
    allowance = Allowance(each=EACH, now=0.0)
    for _ in range(1000):
        allowance.ask()
        assert allowance.take(100, 0.0)  # a refusal
        allowance.settle(0)
    assert not allowance.take(FIRST + 1, 0.0)


def test_answers_to_all_that_is_asked_may_come_at_once() -> None:
    allowance = Allowance(each=EACH, now=0.0)
    for _ in range(64):
        allowance.ask()
    assert allowance.take(64 * EACH, 0.0)
    for waiting in reversed(range(64)):
        allowance.settle(waiting)
    assert allowance.take(FIRST, 0.0)
