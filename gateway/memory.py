"""How this program collects its garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 20  # objects, and collections of the younger; CPython has 700, 10, 10


def collect_rarely() -> None:
    """Leave what was loaded so far out of every collection, and collect seldom; call once, before serving.

    Code, keys and federation document live as long as the process: going over them again and again took a fifteenth
    of a hub's time. References are still counted, so only what refers to itself waits longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)


@contextmanager
def loading() -> Iterator[None]:
    """Load modules: nothing is collected meanwhile, and what was loaded is left out of every collection from then on.

    Going over it, last when the process ends, took a command a fifth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
