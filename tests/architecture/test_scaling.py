"""docs/scaling.md is what its program makes of the measured figures, and that follows them."""

from tests.bench.scaling import DOCUMENT, MEASURED, document, figures, row


def test_the_page_is_what_is_computed_from_the_figures() -> None:
    text = document(figures(MEASURED.read_text("utf-8"), {}))
    assert DOCUMENT.read_text("utf-8") == text, "python -m tests.bench.scaling --write"


def test_other_figures_give_other_limits() -> None:
    known = figures(MEASURED.read_text("utf-8"), {"fanout_1000_ms": 250.0})
    assert row(1_000, known).hub_rate == 4.0
    assert row(200, known).hub_rate == 20.0
    assert row(2_000, known).line_rate < row(1_000, known).line_rate / 3  # traffic grows with the square
