"""Sentences fit a terminal, and what has to be copied from them stays whole."""

from gateway.cli.wrapped import wrapped


def test_a_sentence_fits_its_terminal() -> None:
    said = wrapped("proven: the member childrens-services signed exactly this question " * 3, 40, indent="  ")
    lines = said.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_hash_stays_whole() -> None:
    assert "a" * 64 in wrapped(f"the answer has the hash {'a' * 64}.", 40).replace(".", "").splitlines()
