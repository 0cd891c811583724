"""A document as one HTML file that needs nothing else: no script, no picture, no address. All text is escaped.

Black on white at 1.5 line spacing, headings in order, lists of terms, landmarks: WCAG 2.2 AA, on paper as on a screen.
"""

from collections.abc import Iterable, Iterator
from html import escape

from gateway.reports.document import Document, Fact, Item, Section

_STYLE = """
  html { font: 1.0625rem/1.5 Arial, "Liberation Sans", sans-serif; color: #000; background: #fff; }
  body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 1rem; }
  h2 { font-size: 1.375rem; line-height: 1.3; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 2px solid; }
  h3 { font-size: 1.0625rem; margin: 0 0 .5rem; }
  dl { margin: 0; display: grid; grid-template-columns: minmax(8rem, 11rem) 1fr; gap: .25rem 1rem; }
  dt { color: #333; }
  dd { margin: 0; overflow-wrap: anywhere; }
  article { margin: 0 0 1.5rem; break-inside: avoid; }
  article + article { border-top: 1px solid #767676; padding-top: 1.25rem; }
  .mark { font-weight: bold; border-left: .375rem solid #000; padding-left: .75rem; margin: 0 0 .5rem; }
  .warning { margin: 1.25rem 0; }
  @media (max-width: 32rem) { dl { display: block; } dd { margin: 0 0 .5rem; } dt { font-weight: bold; } }
  @page { size: A4; margin: 22mm 20mm; }
  @media print { html { font-size: 11pt; } body { margin: 0; max-width: none; padding: 0; } }
"""


def as_html(document: Document) -> bytes:
    """The whole file, UTF-8."""
    return "\n".join(_lines(document)).encode() + b"\n"


def _lines(document: Document) -> Iterator[str]:
    title = escape(document.title)
    yield '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>"
    yield from _facts([*document.facts, ("Made on", document.date)])
    for warning in document.warnings:
        yield f'<p class="mark warning">{escape(warning)}</p>'
    for paragraph in document.paragraphs:
        yield f"<p>{escape(paragraph)}</p>"
    for index, section in enumerate(document.sections, 1):
        yield from _section(section, f"section-{index}")
    yield "</main>\n</body>\n</html>"


def _section(section: Section, name: str) -> Iterator[str]:
    yield f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(section.heading)}</h2>'
    for paragraph in section.paragraphs:
        yield f"<p>{escape(paragraph)}</p>"
    for number, item in enumerate(section.items, 1):
        yield from _item(item, number)
    yield "</section>"


def _item(item: Item, number: int) -> Iterator[str]:
    yield f"<article>\n<h3>{number}. {escape(item.heading)}</h3>"
    if item.mark:
        yield f'<p class="mark">{escape(item.mark)}</p>'
    yield from _facts(item.facts)
    yield "</article>"


def _facts(facts: Iterable[Fact]) -> Iterator[str]:
    yield "<dl>"
    for term, value in facts:
        yield f"<dt>{escape(term)}</dt><dd>{escape(value)}</dd>"
    yield "</dl>"
