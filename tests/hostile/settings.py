"""Changes the settings that a test federation has written, for a node or hub that is started again."""

from pathlib import Path


def change(file: Path, old: str, new: str) -> None:
    """Replace a part of a configuration file that must be there."""
    text = file.read_text()
    assert old in text, f"{file.name} has no {old}"
    file.write_text(text.replace(old, new))
