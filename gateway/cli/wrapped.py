"""Sentences on a terminal: wrapped to its width, and left whole where a file or another program reads them."""

import shutil
import sys
import textwrap
from typing import Final
from unicodedata import east_asian_width

import typer

DEEP: Final = " " * 8  # where others' text goes on when it is wrapped: no line of ours begins there


def say(text: str, *, indent: str = "", err: bool = False, whole: bool = True) -> None:
    """Print lines on standard output or error; of a line that is wrapped, what follows begins with `indent`.

    `whole` False breaks long words, too: of others' text no line then begins where our own do.
    """
    if (sys.stderr if err else sys.stdout).isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(wrapped(line, width, indent=indent, whole=whole) for line in text.split("\n"))
    typer.echo(text, err=err)


def wrapped(text: str, width: int, *, indent: str = "", whole: bool = True) -> str:
    """`text` in lines of at most `width` columns; a hash or an address that is longer stays whole, to be copied."""
    if any(east_asian_width(character) in "WF" for character in text):  # each takes two columns
        width = max(width // 2, len(indent) + 1)
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=not whole, break_on_hyphens=False, drop_whitespace=True
    )
