"""Sentences on a terminal: wrapped to its width, and left whole where a file or another program reads them."""

import shutil
import sys
import textwrap

import typer


def say(text: str, *, indent: str = "") -> None:
    """Print a sentence; the lines after its first begin with `indent`."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    typer.echo(text if width is None else wrapped(text, width, indent=indent))


def wrapped(text: str, width: int, *, indent: str = "") -> str:
    """`text` in lines of at most `width` columns; a hash or an address that is longer stays whole, to be copied."""
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
