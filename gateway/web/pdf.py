"""A document as a PDF response: made one at a time in a thread of its own, and kept by no cache."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Final

from aiohttp import web

from gateway.reports.as_pdf import as_pdf
from gateway.reports.document import Document
from gateway.web.downloads import PDF, download

_MAKER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")  # each takes a core for a second


def pdf_is_installed() -> bool:
    """Whether Typst, which is an optional part, is there."""
    return find_spec("typst") is not None


async def pdf_of(document: Document, file_name: str) -> web.Response:
    """The response; `file_name` names nobody. Raises ConfigurationError where Typst is not installed."""
    made = await asyncio.get_running_loop().run_in_executor(_MAKER, as_pdf, document)
    return download(made, file_name, PDF)
