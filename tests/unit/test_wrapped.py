"""Sentences fit a terminal, and what has to be copied from them stays whole."""

from unicodedata import east_asian_width

from gateway.cli.wrapped import wrapped


def test_a_sentence_fits_its_terminal() -> None:
    said = wrapped("proven: the member childrens-services signed exactly this question " * 3, 40, indent="  ")
    lines = said.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


def test_of_a_long_name_no_line_begins_where_the_program_s_own_lines_do() -> None:
    for name in ("x" * 36 + "Key:07e1378e", "愛" * 18 + " Key: 07e1 378e", "愛" * 40):
        lines = wrapped(f"  {name} (food-bank)", 40, indent=" " * 8, whole=False).splitlines()
        assert all(_columns(line) <= 40 for line in lines), lines
        assert all(line.startswith(" " * 8) for line in lines[1:])


def _columns(line: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


def test_a_hash_stays_whole() -> None:
    assert "a" * 64 in wrapped(f"the answer has the hash {'a' * 64}.", 40).replace(".", "").splitlines()
