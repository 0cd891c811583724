"""A document as a tagged PDF for A4 (PDF/UA-1, ISO 14289-1), so that a screen reader reads it in order.

Typst sets it, from data alone: nothing in the text is markup, no file and no address can be reached from it. It is an
optional part (`pip install patchwork-gateway[pdf]`), because it takes 80 MB that only the maker of reports needs.
"""

import re
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import orjson

from gateway.errors import ConfigurationError
from gateway.reports.document import Document

_LONG_WORD = re.compile(r"\S{40}(?=\S)")
_MAY_BREAK = "\u200b"  # zero width space


def as_pdf(document: Document) -> bytes:
    """The whole file; raises ConfigurationError where Typst is not installed."""
    try:
        import typst  # noqa: PLC0415 - optional, and slow to load
    except ImportError:
        raise ConfigurationError("a PDF needs the typst package: pip install 'patchwork-gateway[pdf]'") from None
    template = files("gateway.reports").joinpath("document.typ").read_bytes()
    made: bytes = typst.compile(
        template,
        format="pdf",
        pdf_standards="ua-1",
        sys_inputs={"document": orjson.dumps(_breakable(asdict(document))).decode()},
    )
    return made


def _breakable(data: Any) -> Any:
    """The same with places at which a word may be broken that is too long for a line: it would leave the page."""
    if isinstance(data, str):
        return _LONG_WORD.sub(rf"\g<0>{_MAY_BREAK}", data)
    if isinstance(data, dict):
        return {key: _breakable(value) for key, value in data.items()}
    return [_breakable(each) for each in data] if isinstance(data, list | tuple) else data
