"""A table to download: what reports/csv_text.py makes of it, under headers that no browser opens as a page."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from gateway.reports.csv_text import csv_text
from gateway.web.downloads import CSV, download


def csv_file(name: str, rows: Iterable[Sequence[str | int | None]]) -> web.Response:
    """`name` is a word of ours, without its ending."""
    return download(csv_text(rows), f"{name}.csv", CSV)
