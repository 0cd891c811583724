"""A table to download: what reports/csv_text.py makes of it, under headers that no browser opens as a page."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from gateway.reports.csv_text import csv_text


def csv_file(name: str, rows: Iterable[Sequence[str | int | None]]) -> web.Response:
    """`name` is a word of ours, without its ending."""
    return web.Response(
        body=csv_text(rows),
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "Cache-Control": "no-store",
        },
    )
