"""One source for each kind of connector, made of the same rows, for the suite in test_connectors.py."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.contract import Connector
from connectors.registry import build
from tests.contract.workbook import xlsx

EXPECTS = {"client": frozenset({"id", "name"})}
Row = tuple[str, str, str]  # id, name, version


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`write(rows)` replaces what is in the source, `open()` opens a connector on it."""

    write: Callable[[Iterable[Row]], None]
    open: Callable[[], Connector]


def delimited(folder: Path) -> Source:
    path = folder / "clients.csv"

    def write(rows: Iterable[Row]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write("id,name,version\r\n")
            file.writelines(f'{key},"{name}",{version}\r\n' for key, name, version in rows)

    options = {"path": path, "kinds": {"client": {"key": ["id"]}}}
    return Source(write=write, open=lambda: build("delimited", options, expects=EXPECTS))


def workbook(folder: Path) -> Source:
    path = folder / "clients.xlsx"

    def write(rows: Iterable[Row]) -> None:
        path.write_bytes(xlsx([("id", "name", "version"), *rows]))

    options = {"path": path, "kinds": {"client": {"key": ["id"]}}}
    return Source(write=write, open=lambda: build("spreadsheet", options, expects=EXPECTS))


def spreadsheet_text(folder: Path) -> Source:
    made = delimited(folder)
    options = {"path": folder / "clients.csv", "kinds": {"client": {"key": ["id"]}}}
    return Source(write=made.write, open=lambda: build("spreadsheet", options, expects=EXPECTS))


def xml(folder: Path) -> Source:
    path = folder / "clients.xml"

    def write(rows: Iterable[Row]) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write("<clients>\n")
            file.writelines(
                f'<client version="{version}"><id>{key}</id><name>{name}</name></client>\n'
                for key, name, version in rows
            )
            file.write("</clients>\n")

    options = {"path": path, "kinds": {"client": {"element": "client", "key": ["id"]}}}
    return Source(write=write, open=lambda: build("xml", options, expects=EXPECTS))


def _sql(folder: Path, **of_kind: Any) -> Source:
    path = folder / "clients.sqlite"

    def write(rows: Iterable[Row]) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DROP TABLE IF EXISTS client")
            connection.execute("CREATE TABLE client (id TEXT PRIMARY KEY, name TEXT, version TEXT)")
            connection.executemany("INSERT INTO client VALUES (?, ?, ?)", rows)

    options = {"url": f"sqlite:///{path}", "kinds": {"client": {"key": ["id"], **of_kind}}}
    return Source(write=write, open=lambda: build("sql", options, expects=EXPECTS))


def sql_table(folder: Path) -> Source:
    return _sql(folder, table="client")


def sql_incremental(folder: Path) -> Source:
    return _sql(folder, query="SELECT id, name, version FROM client", version="version")


ALL: dict[str, Callable[[Path], Source]] = {
    "delimited": delimited,
    "xml": xml,
    "spreadsheet workbook": workbook,
    "spreadsheet text": spreadsheet_text,
    "sql table": sql_table,
    "sql incremental": sql_incremental,
}
