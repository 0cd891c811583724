"""A node takes as many questions at once as it answers in time, whatever the machine does meanwhile."""

from gateway.node.admission import MEASUREMENTS, Admission


class Machine:
    """Takes that long for the reference work."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def work(self) -> float:
        return self.seconds


def measured(machine: Machine, *, most: int = 48, delay_s: float = 0.150) -> Admission:
    return Admission(most=most, delay_s=delay_s, measured=True, work=machine.work)


def test_a_fast_machine_takes_as_many_as_the_settings_allow() -> None:
    assert measured(Machine(0.0001)).places == 48


def test_a_slow_machine_takes_fewer_and_the_slowest_still_one() -> None:
    assert 1 < measured(Machine(0.002)).places <= 8
    assert measured(Machine(0.020)).places == 1
    assert measured(Machine(0.002), delay_s=1.5).places > 8


def test_it_follows_a_machine_that_slows_down_and_recovers_but_not_one_hiccup() -> None:
    machine = Machine(0.0001)
    admission = measured(machine)
    machine.seconds = 0.010
    admission.measure()
    assert admission.places == 48
    for _ in range(MEASUREMENTS // 2):
        admission.measure()
    assert admission.places < 8
    machine.seconds = 0.0001
    for _ in range(MEASUREMENTS // 2 + 1):
        admission.measure()
    assert admission.places == 48


def test_fixed_is_what_the_settings_say() -> None:
    machine = Machine(1.0)
    admission = Admission(most=3, delay_s=0.020, measured=False, work=machine.work)
    admission.measure()
    assert admission.places == 3


def test_a_place_is_held_until_it_is_given_back() -> None:
    admission = Admission(most=2, delay_s=0.150, measured=False)
    said = []
    for step in (admission.take, admission.take, admission.free):
        step()
        said.append(admission.full)
    assert said == [False, True, False]


def test_the_reference_work_runs() -> None:
    assert 1 <= Admission(most=48, delay_s=0.150, measured=True).places <= 48
