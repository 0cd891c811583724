"""What `make soak` calls growth."""

from tests.bench.soak import grown

MINUTES = 600.0


def taken(*values: tuple[float, int]) -> list[tuple[float, float, int]]:
    """Samples over the whole time, evenly."""
    return [(MINUTES * (number + 0.5) / len(values), *value) for number, value in enumerate(values)]


def test_growth_after_the_start_is_found_in_memory_and_in_open_files() -> None:
    samples = {
        "steady": taken(*[(100.0, 50)] * 16),
        "warms up": taken((40.0, 10), (90.0, 50), *[(100.0, 55)] * 14),
        "one peak": taken(*[(100.0, 50)] * 15, (900.0, 900)),
        "leaks": taken(*[(100.0 + 20 * number, 50) for number in range(16)]),
        "leaks files": taken(*[(100.0, 50 + 40 * number) for number in range(16)]),
    }
    assert [line.split(" grew")[0] for line in grown(samples, MINUTES)] == ["leaks", "leaks files"]


def test_a_short_soak_without_samples_on_both_sides_says_nothing() -> None:
    assert grown({"hub": [(1.0, 100.0, 50)]}, MINUTES) == []
