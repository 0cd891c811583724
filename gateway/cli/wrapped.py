"""Sentences on a terminal: wrapped to its width, and left whole where a file or another program reads them."""

import shutil
import sys
import textwrap

import typer


def say(text: str, *, indent: str = "", err: bool = False) -> None:
    """Print lines on standard output or error; of a line that is wrapped, what follows begins with `indent`."""
    if (sys.stderr if err else sys.stdout).isatty():
        width = shutil.get_terminal_size().columns
        text = "\n".join(wrapped(line, width, indent=indent) for line in text.split("\n"))
    typer.echo(text, err=err)


def wrapped(text: str, width: int, *, indent: str = "") -> str:
    """`text` in lines of at most `width` columns; a hash or an address that is longer stays whole, to be copied."""
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
