"""Whatever stands in a document, its PDF keeps within the margins, and says that it is tagged."""

import struct
import zlib
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import orjson
import typst

from gateway.reports import as_pdf
from gateway.reports.document import Document, Item, Section

LONG = "Llanfairpwllgwyngyll" * 20
DOCUMENT = Document(
    title=LONG,
    date="21 September 2026",
    facts=(("From", LONG),),
    paragraphs=(LONG, "A short one."),
    warnings=(LONG,),
    sections=(
        Section(heading=LONG, paragraphs=(LONG,), items=(Item(heading=LONG, facts=((LONG, LONG),), mark=LONG),)),
    ),
)
PPI = 20
MARGIN = int(20 / 25.4 * PPI)  # pixels; the page's own are 24 mm


def dark_columns(png: bytes) -> set[int]:
    """Columns of an 8-bit RGBA picture in which anything is not white (PNG, third edition, sections 5 and 9)."""
    width, _height = struct.unpack(">II", png[16:24])
    assert png[24:26] == b"\x08\x06"
    packed, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        packed += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    above = bytes(width * 4)
    found: set[int] = set()
    plain = zlib.decompress(packed)
    for start in range(0, len(plain), width * 4 + 1):
        line = plain[start : start + width * 4 + 1]
        row = bytearray(line[1:])
        for place in range(len(row)):
            left, up = row[place - 4] if place >= 4 else 0, above[place]
            corner = above[place - 4] if place >= 4 else 0
            nearest = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
            row[place] = (row[place] + (0, left, up, (left + up) // 2, nearest)[line[0]]) & 255
        found |= {column for column in range(width) if any(each < 250 for each in row[column * 4 : column * 4 + 3])}
        above = bytes(row)
    return found


def test_a_word_too_long_for_a_line_is_broken_and_does_not_leave_the_page() -> None:
    template = files("gateway.reports").joinpath("document.typ").read_bytes()
    data = orjson.dumps(as_pdf._breakable(asdict(DOCUMENT))).decode()
    pages: Any = typst.compile(template, format="png", ppi=PPI, sys_inputs={"document": data})
    for page in pages if isinstance(pages, list) else [pages]:
        dark = dark_columns(page)
        width = struct.unpack(">I", page[16:20])[0]
        assert dark
        assert min(dark) >= MARGIN
        assert max(dark) < width - MARGIN


def test_a_document_is_a_tagged_pdf() -> None:
    made = as_pdf.as_pdf(DOCUMENT)
    assert made.startswith(b"%PDF-")
    assert b"pdfuaid:part>1<" in made
