"""What a command has loaded is no garbage, and so is not gone over in search of any."""

import gc
from importlib import import_module

import pytest

from gateway.memory import loading


def test_while_it_loads_nothing_is_collected_and_afterwards_only_what_came_later() -> None:
    before = gc.get_freeze_count()
    with loading():
        during = gc.isenabled()
        loaded: list[object] = [[] for _ in range(1000)]
    assert (during, gc.isenabled()) == (False, True)
    assert gc.get_freeze_count() >= before + len(loaded)
    assert not any(each is loaded for each in gc.get_objects())
    gc.collect()
    assert len(loaded) == 1000


def test_what_cannot_be_loaded_leaves_the_collector_at_work() -> None:
    with pytest.raises(ModuleNotFoundError), loading():
        import_module("gateway.nothing_of_this_name")
    assert gc.isenabled()
