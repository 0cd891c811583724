"""A document of headings, paragraphs and facts: small enough that text, HTML and PDF all show the same."""

from dataclasses import dataclass

Fact = tuple[str, str]  # what it is, and what it says


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One numbered thing: a heading, perhaps a mark that it is out of the ordinary, and facts."""

    heading: str
    facts: tuple[Fact, ...]
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Paragraphs, then items, which are numbered from 1."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole document; `date` is the day it was made, in words; `warnings` stand out above everything else."""

    title: str
    date: str
    facts: tuple[Fact, ...]
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = ()
