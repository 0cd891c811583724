"""Writes small XLSX and ODS files for tests, with nothing but the standard library."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from xml.sax.saxutils import escape

Cell = str | float | date | datetime | None

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_ODS = "urn:oasis:names:tc:opendocument:xmlns"
_EPOCH = date(1899, 12, 30)


def xlsx(rows: Iterable[Sequence[Cell]], *, merged: str = "", more: Mapping[str, bytes] | None = None) -> bytes:
    """One sheet; dates are cells with a date format. `more` are further files in the archive, or others instead."""
    merges = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    body = "".join(
        f'<row r="{y}">{"".join(_cell(x, y, cell) for x, cell in enumerate(row))}</row>'
        for y, row in enumerate(rows, 1)
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": _relations(f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": _relations(f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData>{merges}</worksheet>',
    }
    return archive({**{name: text.encode() for name, text in files.items()}, **(more or {})})


def ods(rows: Iterable[Sequence[str]]) -> bytes:
    """One sheet of texts."""
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    body = "".join(
        f"<table:table-row>{''.join(cell.format(escape(text)) for text in row)}</table:table-row>" for row in rows
    )
    content = (
        f'<office:document-content xmlns:office="{_ODS}:office:1.0" xmlns:table="{_ODS}:table:1.0" '
        f'xmlns:text="{_ODS}:text:1.0"><office:body><office:spreadsheet><table:table table:name="People">{body}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    files = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODS}:manifest:1.0"/>',
        "content.xml": content,
    }
    return archive({name: text.encode() for name, text in files.items()})


def archive(files: Mapping[str, bytes]) -> bytes:
    """These files, compressed."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def _relations(kind: str, target: str) -> str:
    one = f'<Relationship Id="r1" Type="{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{one}</Relationships>'


def _cell(x: int, y: int, cell: Cell) -> str:
    at = f"{chr(65 + x)}{y}"
    if cell is None or cell == "":
        return ""
    if isinstance(cell, date):
        day = cell.date() if isinstance(cell, datetime) else cell
        return f'<c r="{at}" s="1"><v>{(day - _EPOCH).days}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{at}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<c r="{at}"><v>{cell}</v></c>'
