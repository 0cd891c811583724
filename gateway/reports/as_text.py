"""A document as text for a terminal or a plain printer: 78 columns, nothing but characters."""

import textwrap
from collections.abc import Iterable, Iterator

from gateway.reports.document import Document, Fact, Section

_WIDTH = 78


def as_text(document: Document) -> str:
    """The whole document, ending with a line feed."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield from (document.title, "=" * len(document.title), "")
    yield from _facts([*document.facts, ("Made on", document.date)], "")
    for warning in document.warnings:
        yield from ("", *textwrap.wrap(f"*** {warning} ***", _WIDTH))
    for paragraph in document.paragraphs:
        yield from ("", *textwrap.wrap(paragraph, _WIDTH))
    for section in document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from ("", "", section.heading, "-" * len(section.heading))
    for paragraph in section.paragraphs:
        yield from ("", *textwrap.wrap(paragraph, _WIDTH))
    for number, item in enumerate(section.items, 1):
        yield from ("", f"{number}. {item.heading}")
        if item.mark:
            yield f"   *** {item.mark} ***"
        yield from _facts(item.facts, "   ")


def _facts(facts: Iterable[Fact], indent: str) -> Iterator[str]:
    for term, value in facts:
        yield from textwrap.wrap(
            f"{term}: {value}", _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=True
        )
