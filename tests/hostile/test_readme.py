"""README.md says where each fault is tested, and what it names is there."""

from pathlib import Path


def test_this_suite_says_where_each_fault_is_tested() -> None:
    folder = Path(__file__).parent
    named = {
        word.strip("`,;")
        for line in (folder / "README.md").read_text().splitlines()
        if line.startswith("|")
        for word in line.split()
        if word.strip("`,;").endswith(".py")
    }
    assert named
    assert [name for name in sorted(named) if not (folder.parents[1] / name).exists()] == []
    assert {path.name for path in folder.glob("test_*.py")} - {Path(__file__).name} <= {
        Path(name).name for name in named
    }
