"""How a process that serves collects its garbage."""

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 20  # objects, and collections of the younger; CPython has 700, 10, 10


def collect_rarely() -> None:
    """Leave what was loaded so far out of every collection, and collect seldom; call once, before serving.

    Code, keys and federation document live as long as the process: going over them again and again took a fifteenth
    of a hub's time. References are still counted, so only what refers to itself waits longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
