"""Brings the translations of the pages up to date with their text: `make catalogues`, after a change of text.

Reads every text that is marked below gateway/ (`_`, `N_`, `ngettext`, `{% trans %}`) and writes each catalogue anew:
a new or changed text without a translation, which leaves the English; one that is gone is left out. Prints how many
are translated.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
MARKED = ROOT / "gateway"
LOCALES = MARKED / "web" / "locales"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
AS_RENDERED = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}  # as gateway/web/render.py sets them
IDLE = tuple(f'"{name}'.encode() for name in (
    "Report-Msgid", "POT-Creation", "PO-Revision", "Last-Translator", "Language-Team", "Generated-By"
))  # fmt: skip

Text = str | tuple[str, ...]


def texts_of(path: Path) -> Iterator[tuple[int, Text]]:
    """The marked texts of a Python file or template, with their lines; one that depends on a number is a pair."""
    template = path.suffix == ".html"
    method = "jinja2.ext:babel_extract" if template else "python"
    options = AS_RENDERED if template else {}
    for line, text, _comments, _context in extract_from_file(method, path, keywords=KEYWORDS, options=options):
        yield line, text


def all_texts() -> Catalog:
    """Every marked text with the files it stands in. Without lines: a catalogue changes when text does, not code."""
    found = Catalog(charset="utf-8")
    for path in sorted([*MARKED.rglob("*.py"), *(MARKED / "web" / "templates").rglob("*.html")]):
        for _line, text in texts_of(path):
            found.add(text, locations=[(path.relative_to(ROOT).as_posix(), None)])
    return found


def main() -> int:
    """Write each catalogue that there is."""
    template = all_texts()
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as text:
            catalogue = read_po(text, locale=path.parts[-3])
        header = catalogue.header_comment
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.header_comment = header
        catalogue.obsolete.clear()
        path.write_bytes(_as_po(catalogue))
        translated = sum(1 for each in catalogue if each.id and any(_forms(each.string)))
        print(f"{path.relative_to(ROOT)}: {translated} of {len(catalogue)} translated")
    return 0


def _as_po(catalogue: Catalog) -> bytes:
    """The file, without the lines of its header that would differ at each run or say nothing."""
    written = BytesIO()
    write_po(written, catalogue, width=120, sort_by_file=True)
    return b"".join(line for line in written.getvalue().splitlines(keepends=True) if not line.startswith(IDLE))


def _forms(string: Text) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or ())


if __name__ == "__main__":
    sys.exit(main())
